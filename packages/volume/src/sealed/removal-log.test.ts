import { expect, test } from "bun:test";
import { silentLog } from "@kelp/base";
import { FaultyDisk, PowerCutDisk } from "@kelp/base/testing";
import { openDeletionJournal } from "../erasure/deletion-journal.ts";
import { codeOf } from "../testing/volume-client-contract.ts";

const PATHS = ["/a/1.ecj", "/b/1.ecj"];

function openDisk(): { readonly disk: PowerCutDisk; readonly faulty: FaultyDisk } {
  const disk = new PowerCutDisk({
    start: new Map([
      ["/a", undefined],
      ["/b", undefined],
    ]),
  });
  return { disk, faulty: new FaultyDisk(disk) };
}

function idsIn(disk: PowerCutDisk, path: string): bigint[] {
  const bytes = Buffer.from(disk.image().get(path) ?? []);
  return Array.from({ length: bytes.length / 8 }, (_id, at) => bytes.readBigUInt64BE(at * 8));
}

test("a copy that could not be written once gets what it missed with the next removal", async () => {
  const { disk, faulty } = openDisk();
  const { journal } = await openDeletionJournal({ disk: faulty, log: silentLog }, PATHS);
  await journal.append({ idHigh: 0, idLow: 1 });
  faulty.onlyPathEnd = "/b/1.ecj";
  faulty.syncsUntilFailure = 1;
  await journal.append({ idHigh: 0, idLow: 2 });
  faulty.syncsUntilFailure = Infinity;
  faulty.writesUntilFailure = 1;
  await journal.append({ idHigh: 0, idLow: 3 });
  faulty.writesUntilFailure = Infinity;
  await journal.append({ idHigh: 0, idLow: 4 });
  await journal.close();
  expect(PATHS.map((path) => idsIn(disk, path))).toEqual([
    [1n, 2n, 3n, 4n],
    [1n, 2n, 3n, 4n],
  ]);
});

test("what no copy has is refused, and so is every later removal", async () => {
  const { faulty } = openDisk();
  const { journal } = await openDeletionJournal({ disk: faulty, log: silentLog }, PATHS);
  faulty.syncsUntilFailure = 1;
  expect(await codeOf(journal.append({ idHigh: 0, idLow: 1 }))).toBe("volume-failed");
  faulty.syncsUntilFailure = Infinity;
  expect(await codeOf(journal.append({ idHigh: 0, idLow: 2 }))).toBe("volume-failed");
  await journal.close();
});
