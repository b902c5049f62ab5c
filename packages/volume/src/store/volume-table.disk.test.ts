import { expect, test } from "bun:test";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { silentLog } from "@kelp/base";
import { temporaryFolder } from "@kelp/base/testing";
import { volumeId } from "@kelp/wire";
import { ONE, content, fid } from "../testing/volume-world.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { Volume } from "../volume/volume.ts";
import { DiskFolder } from "./disk-folder.ts";
import { UnavailableVolume } from "./unavailable-volume.ts";
import { VolumeTable } from "./volume-table.ts";

const DEPS = { disk: systemDisk, clock: systemClock, hashes: systemHashes, log: silentLog };

function makeVolume(folder: string, collection: string): Promise<Volume> {
  return Volume.create(DEPS, {
    folder,
    id: ONE,
    collection,
    sizeBytesMax: 1_000_000,
    graceBytes: 0,
    onStateChange: () => undefined,
  });
}

test("one job at a time has a volume, and the next gets it when that one failed", async () => {
  using folder = temporaryFolder();
  await using volume = await makeVolume(folder.path, "a");
  const table = new VolumeTable();
  table.add(ONE, { volume, disk: new DiskFolder(0, { path: folder.path }) });
  const gate = Promise.withResolvers<void>();
  const first = codeOf(table.withJob(ONE, "scrub", () => gate.promise));
  expect(table.find(ONE)?.job).toBe("scrub");
  expect(await codeOf(table.withJob(ONE, "vacuum", async () => undefined))).toBe("job-running");
  gate.reject(Object.assign(new Error("x"), { code: "x" }));
  expect(await first).toBe("x");
  expect(await table.withJob(ONE, "vacuum", async (slot) => slot.volume === volume)).toBe(true);
});

test("after an exchange calls meet the next volume, and reads of the earlier one end before it is closed", async () => {
  using folder = temporaryFolder();
  const earlier = await makeVolume(folder.path, "a");
  await using next = await makeVolume(folder.path, "b");
  // Large enough to be read outside the thread.
  await earlier.append(fid(1), content(1, 500_000));
  const table = new VolumeTable();
  table.add(ONE, { volume: earlier, disk: new DiskFolder(0, { path: folder.path }) });
  const reads = Array.from({ length: 20 }, () => table.get(ONE).read(fid(1)));
  await table.exchange(ONE, next);
  expect(await table.get(ONE).read(fid(1))).toBeUndefined();
  for (const read of reads) expect((await read)?.length).toBe(500_000);
  expect(await codeOf(earlier.read(fid(1)))).toBe("closed");
  expect(await codeOf(earlier.scan().next())).toBe("closed");
});

test("what cannot be used says why, and only deleting may have it", async () => {
  const table = new VolumeTable();
  const disk = new DiskFolder(0, { path: "/nowhere" });
  const facts = { id: ONE, collection: "", disk, nowMs: 0, cause: undefined };
  table.add(ONE, { volume: new UnavailableVolume("missing", facts), disk });
  expect(() => table.get(ONE)).toThrow("its disk is not there");
  expect(await codeOf(table.withJob(ONE, "vacuum", async () => undefined))).toBe("volume-missing");
  expect(await table.withJobOnAny(ONE, "delete", async () => "done")).toBe("done");
  expect(() => table.get(volumeId(2))).toThrow("it is not here");
});
