import { expect, test } from "bun:test";
import { silentLog } from "@kelp/base";
import { type DiskImage, PowerCutDisk, SeededRandom } from "@kelp/base/testing";
import type { RemovedId } from "../sealed/removal-log.ts";
import { openDeletionJournal } from "./deletion-journal.ts";

const FOLDERS = new Map([
  ["/a", undefined],
  ["/b", undefined],
]);
const PATHS = ["/a/1.ecj", "/b/1.ecj"];

/** What is removed according to the copies that are at `paths`. */
async function removedIn(start: DiskImage, paths = PATHS): Promise<readonly RemovedId[]> {
  const disk = new PowerCutDisk({ start });
  const { journal, entries } = await openDeletionJournal({ disk, log: silentLog }, paths);
  await journal.close();
  return entries;
}

test("a removal is in every copy after a power cut, also in one that was made for it", async () => {
  const disk = new PowerCutDisk({ start: FOLDERS });
  const { journal } = await openDeletionJournal({ disk, log: silentLog }, PATHS);
  await journal.append({ idHigh: 1, idLow: 2 });
  const cuts = disk.cuts();
  for (let seed = 1; seed <= 50; seed++) {
    const image = cuts.cut(disk.moment, new SeededRandom(seed));
    for (const path of PATHS) {
      expect(await removedIn(image, [path])).toEqual([{ idHigh: 1, idLow: 2 }]);
    }
  }
});

test("copies that went their own ways learn of each other, and keep it through a power cut", async () => {
  const start = new Map<string, Uint8Array | undefined>(FOLDERS);
  for (const [at, path] of PATHS.entries()) {
    const disk = new PowerCutDisk({ start: FOLDERS });
    const { journal } = await openDeletionJournal({ disk, log: silentLog }, [path]);
    await journal.append({ idHigh: 0, idLow: at + 1 });
    await journal.close();
    start.set(path, disk.image().get(path));
  }
  const disk = new PowerCutDisk({ start });
  const both = [1, 2].map((idLow) => ({ idHigh: 0, idLow }));
  const { journal, entries } = await openDeletionJournal({ disk, log: silentLog }, PATHS);
  expect(entries).toEqual(both);
  await journal.close();
  const image = disk.cuts().cut(disk.moment, new SeededRandom(1));
  for (const path of PATHS) {
    const found = [...(await removedIn(image, [path]))];
    expect(found.sort((left, right) => left.idLow - right.idLow)).toEqual(both);
  }
});
