import { expect, test } from "bun:test";
import { JOB_SYNC_BYTES } from "../limits.ts";
import { SteadySync } from "./steady-sync.ts";

function countingFile(): { syncs: number; sync(): Promise<void> } {
  return {
    syncs: 0,
    sync() {
      this.syncs++;
      return Promise.resolve();
    },
  };
}

test("a file is synced each time that enough was written to it", async () => {
  const file = countingFile();
  const syncing = new SteadySync(file);
  const seen: number[] = [];
  for (let piece = 0; piece < 8; piece++) {
    await syncing.wrote(JOB_SYNC_BYTES / 4);
    seen.push(file.syncs);
  }
  expect(seen).toEqual([0, 0, 0, 1, 1, 1, 1, 2]);
});

test("at the end it is synced whatever was synced before", async () => {
  const file = countingFile();
  const syncing = new SteadySync(file);
  await syncing.wrote(JOB_SYNC_BYTES);
  await syncing.finish();
  expect(file.syncs).toBe(2);
});

test("a head start moves the syncs of one file between those of others", async () => {
  const file = countingFile();
  const syncing = new SteadySync(file, { headStartBytes: JOB_SYNC_BYTES / 2 });
  await syncing.wrote(JOB_SYNC_BYTES / 2);
  expect(file.syncs).toBe(1);
});

test("a sync that fails is told", () => {
  const syncing = new SteadySync({ sync: () => Promise.reject(new Error("EIO")) });
  expect(syncing.wrote(JOB_SYNC_BYTES)).rejects.toThrow("EIO");
});
