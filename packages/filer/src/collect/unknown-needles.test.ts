import { expect, test } from "bun:test";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import { UnknownNeedles } from "./unknown-needles.ts";

function fid(id: bigint, volume = 1, cookie = 7): Fid {
  return { volumeId: volumeId(volume), needleId: needleId(id), cookie };
}

function whole(address: Fid) {
  return { fid: address, sizeBytes: 5, isCorrupt: false };
}

test("what is struck off is gone, what is left comes back as it was, in its order", () => {
  const needles = new UnknownNeedles(10_000);
  const ids = Array.from({ length: 10_000 }, (_, at) => BigInt(at) * 0x1_0000_0001n + 1n);
  for (const [at, id] of ids.entries()) {
    needles.add({
      fid: fid(id, 0xffff_ffff - (at % 3)),
      sizeBytes: at * 2 ** 33,
      isCorrupt: false,
    });
  }
  expect(needles.isFull).toBe(true);
  for (const [at, id] of ids.entries()) {
    if (at % 2 === 0) needles.strike(fid(id, 0xffff_ffff - (at % 3)));
  }
  const left = needles.take();
  expect(left).toEqual(
    ids.flatMap((id, at) => {
      if (at % 2 === 0) return [];
      return [{ fid: fid(id, 0xffff_ffff - (at % 3)), sizeBytes: at * 2 ** 33, isCorrupt: false }];
    }),
  );
  expect(needles.isEmpty).toBe(true);
  expect(needles.take()).toEqual([]);
});

test("an address speaks for its own needle alone: volume, id and cookie", () => {
  const needles = new UnknownNeedles(1);
  needles.add(whole(fid(3n)));
  for (const other of [fid(3n, 2), fid(4n), fid(3n, 1, 8), fid(3n + (1n << 32n))]) {
    needles.strike(other);
  }
  expect(needles.take()).toEqual([whole(fid(3n))]);
  needles.add(whole(fid(3n)));
  needles.strike(fid(3n));
  expect(needles.take()).toEqual([]);
});

test("a damaged needle is spoken for under any cookie", () => {
  const needles = new UnknownNeedles(2);
  needles.add({ fid: fid(3n, 1, 9), sizeBytes: 1, isCorrupt: true });
  needles.strike(fid(3n, 1, 8));
  expect(needles.take()).toEqual([]);
});
