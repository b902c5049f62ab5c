import { expect, test } from "bun:test";
import { PLAIN_VOLUME, volumeId } from "@kelp/wire";
import { startConsole } from "../testing/console-server.ts";

const VOLUME = {
  ...PLAIN_VOLUME,
  id: volumeId(3),
  collection: "",
  sizeBytes: 10,
  liveCount: 1,
  liveBytes: 8,
  deletedCount: 0,
  deletedBytes: 0,
  needleIdMax: 1n,
  state: "failed",
  createdMs: 1,
  modifiedMs: 1,
} as const;

test("the overview adds up the buckets and finds nothing wrong", async () => {
  await using console = await startConsole();
  await console.objects.createBucket("one", "root");
  await console.objects.putObject({ bucket: "one", key: "k", body: new Uint8Array(12) });
  expect(await (await fetch(`${console.url}/api/v1/overview`)).json()).toMatchObject({
    version: "0.0.0-test",
    started_ms: 5,
    store: { bucket_count: 1, object_count: 1, size_bytes: 12, memory_rss_bytes: 7 },
    problems: [],
  });
});

test("a failed volume and a full disk are told in sentences", async () => {
  await using console = await startConsole();
  console.status = { volumes: [VOLUME], totalBytes: 1000, availableBytes: 10 };
  const overview = (await (await fetch(`${console.url}/api/v1/overview`)).json()) as {
    problems: string[];
  };
  expect(overview.problems).toEqual([
    "Volume 3 failed to write and takes no more data. Check the disk, then restart.",
    "Only 1.0 % of the disk is free. Delete data or add space.",
  ]);
  expect(await (await fetch(`${console.url}/api/v1/cluster`)).json()).toMatchObject({
    healthy: false,
    dir: "/data",
  });
});

test("volumes are listed as they stand", async () => {
  await using console = await startConsole();
  console.status = { volumes: [VOLUME], totalBytes: 1, availableBytes: 1 };
  expect(await (await fetch(`${console.url}/api/v1/volumes`)).json()).toMatchObject({
    volumes: [{ id: 3, size_bytes: 10, live_bytes: 8, state: "failed" }],
  });
});

test("the pages of the whole store need their own rights", async () => {
  await using console = await startConsole();
  for (const [path, action] of [
    ["overview", "kelp:GetOverview"],
    ["cluster", "kelp:GetCluster"],
    ["volumes", "kelp:ListVolumes"],
  ] as const) {
    console.denied.add(action);
    expect((await fetch(`${console.url}/api/v1/${path}`)).status).toBe(403);
  }
});
