import { expect, test } from "bun:test";
import { PLAIN_VOLUME, type VolumeStatus, volumeId } from "@kelp/wire";
import { startConsole } from "../testing/console-server.ts";
import { formatMetrics } from "./text-format.ts";

const VOLUME: VolumeStatus = {
  ...PLAIN_VOLUME,
  id: volumeId(1),
  collection: "c",
  sizeBytes: 100,
  liveCount: 2,
  liveBytes: 60,
  deletedCount: 1,
  deletedBytes: 40,
  needleIdMax: 1n,
  state: "writable",
  createdMs: 1,
  modifiedMs: 1,
};

test("values are written as the format says, labels escaped", () => {
  const samples = [{ labels: { a: 'x"\\\n', b: "y" }, value: 1.5 }, { value: 2 }];
  expect(formatMetrics([{ name: "kelp_x_bytes", kind: "gauge", help: "A\nB\\", samples }])).toBe(
    "# HELP kelp_x_bytes A\\nB\\\\\n# TYPE kelp_x_bytes gauge\n" +
      'kelp_x_bytes{a="x\\"\\\\\\n",b="y"} 1.5\nkelp_x_bytes 2\n',
  );
});

test("the metrics tell of volumes, disks, maintenance and refusals", async () => {
  await using console = await startConsole();
  const shape = { dataShards: 10, parityShards: 4, missingShards: [1, 12] };
  const form = { kind: "erasure-coded", ...shape } as const;
  const failed = { ...VOLUME, id: volumeId(2), state: "failed", form } as const;
  console.status = { volumes: [VOLUME, failed], totalBytes: 1, availableBytes: 1 };
  const damage = { volumeId: volumeId(1), what: "1", offsetBytes: 8, reason: "rot", foundMs: 1 };
  console.volumes.damaged = [damage];
  const response = await fetch(`${console.url}/metrics`);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  const lines = text.split("\n").filter((line) => !line.startsWith("#") && line !== "");
  expect(lines).toEqual([
    'kelp_volumes{state="writable"} 1',
    'kelp_volumes{state="full"} 0',
    'kelp_volumes{state="read-only"} 0',
    'kelp_volumes{state="failed"} 1',
    'kelp_volumes{state="missing"} 0',
    'kelp_volume_forms{form="plain"} 1',
    'kelp_volume_forms{form="erasure-coded"} 1',
    'kelp_volume_forms{form="remote"} 0',
    "kelp_shards_missing 2",
    "kelp_volume_size_bytes 200",
    "kelp_needles 4",
    "kelp_needle_live_bytes 120",
    "kelp_needle_deleted_bytes 80",
    'kelp_disk_up{disk="0",folder="/data/\\"a\\""} 1',
    'kelp_disk_up{disk="1",folder="/b"} 0',
    'kelp_disk_total_bytes{disk="0",folder="/data/\\"a\\""} 1000',
    'kelp_disk_total_bytes{disk="1",folder="/b"} 1000',
    'kelp_disk_available_bytes{disk="0",folder="/data/\\"a\\""} 900',
    'kelp_disk_available_bytes{disk="1",folder="/b"} 900',
    "kelp_vacuums_total 3",
    "kelp_vacuum_failures_total 4",
    "kelp_vacuum_freed_bytes_total 5",
    "kelp_scrubs_total 6",
    "kelp_scrubbed_needles_total 7",
    "kelp_scrubbed_bytes_total 8",
    "kelp_scrub_damaged_total 9",
    "kelp_scrub_repaired_total 10",
    "kelp_quarantined 1",
    "kelp_entry_scrubs_total 2",
    "kelp_entries_damaged 3",
    "kelp_changes_refused_total 1",
    "kelp_reads_refused_total 2",
    "kelp_process_start_time_seconds 0.005",
    "kelp_process_resident_memory_bytes 7",
  ]);
  expect(text.match(/^# TYPE /gm)?.length).toBe(text.match(/^# HELP /gm)?.length ?? -1);
});

test("nobody reads the metrics without the right to", async () => {
  await using console = await startConsole();
  expect((await fetch(`${console.url}/metrics`, { method: "HEAD" })).status).toBe(200);
  expect((await fetch(`${console.url}/metrics`, { method: "POST" })).status).toBe(404);
  console.denied.add("kelp:ReadMetrics");
  expect((await fetch(`${console.url}/metrics`)).status).toBe(403);
  console.admission = { kind: "refused", status: 401, message: "Sign in" };
  const refused = await fetch(`${console.url}/metrics`);
  expect([refused.status, await refused.text()]).toEqual([
    401,
    `{"error":{"code":"sign-in-required","message":"Sign in"}}`,
  ]);
  console.admission = { kind: "refused", status: 403, message: "Not from there" };
  expect((await fetch(`${console.url}/metrics`)).status).toBe(403);
});
