import { expect, test } from "bun:test";
import {
  array,
  assert as check,
  bigInt,
  constantFrom,
  integer,
  nat,
  property,
  record,
} from "fast-check";
import { needleId } from "@kelp/wire";
import { idHigh, idLow, joinIdHalves } from "../needle/id-halves.ts";
import { TOMBSTONE_BYTES, recordBytesOf } from "../needle/layout.ts";
import { LEAF_COPIES_MAX, LEAF_ENTRIES } from "../limits.ts";
import { readIndexEntry, writeIndexEntry } from "./index-entry.ts";
import { NeedleIndex } from "./needle-index.ts";

const anyId = bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn });

test("an entry is written and read byte for byte as the format says", () => {
  const bytes = Buffer.alloc(16);
  // 0x7fffffff8 / 8 = 0xffffffff: the last offset that 4 bytes can name.
  const entry = {
    idHigh: 0x0102_0304,
    idLow: 0xff06_0708,
    offsetBytes: 0x7_ffff_fff8,
    bodyBytes: -1,
  };
  writeIndexEntry(bytes, 0, entry);
  expect(bytes.toString("hex")).toBe("01020304ff060708ffffffffffffffff");
  expect(readIndexEntry(bytes, 0)).toEqual(entry);
});

test("an entry with an offset of 5 bytes has its highest byte behind the others", () => {
  const bytes = Buffer.alloc(17);
  // 0x7_0000_0008 × 8: more than 4 bytes can name.
  const entry = {
    idHigh: 0x0102_0304,
    idLow: 0xff06_0708,
    offsetBytes: 0x7_0000_0008 * 8,
    bodyBytes: 0x0a0b,
  };
  writeIndexEntry(bytes, 0, entry, 5);
  expect(bytes.toString("hex")).toBe("01020304ff060708000000080700000a0b");
  expect(readIndexEntry(bytes, 0, 5)).toEqual(entry);
});

test("ids survive being split, up to 64 bits", () => {
  check(
    property(anyId, (value) => {
      const id = needleId(value);
      expect(joinIdHalves(idHigh(id), idLow(id))).toBe(value);
    }),
  );
});

test("the index behaves as a map with counters, for any history", () => {
  const step = record({
    kind: constantFrom("put", "remove"),
    // Few ids, so that they meet; some differ only in the high half.
    high: constantFrom(0, 1, 0xffff_ffff),
    low: nat({ max: 20 }).map((value) => value + 1),
    body: nat({ max: 1000 }),
  });
  check(
    property(array(step, { maxLength: 300 }), (steps) => {
      const index = new NeedleIndex();
      const model = new Map<bigint, { offsetBytes: number; bodyBytes: number }>();
      let at = 8;
      for (const { kind, high, low, body } of steps) {
        const id = joinIdHalves(high, low);
        if (kind === "put") {
          index.put(high, low, at, body);
          model.set(id, { offsetBytes: at, bodyBytes: body });
          at += recordBytesOf(body);
        } else {
          index.remove(high, low, { hasTombstone: true });
          if (model.delete(id)) expect(index.findRemoved(high, low)).toBeDefined();
          at += TOMBSTONE_BYTES;
        }
        expect(index.find(high, low)).toEqual(model.get(id));
      }
      const live = new Map<bigint, { offsetBytes: number; bodyBytes: number }>();
      index.forEachLive((high, low, offsetBytes, bodyBytes) => {
        live.set(joinIdHalves(high, low), { offsetBytes, bodyBytes });
      });
      expect(live).toEqual(model);
      expect(index.liveCount).toBe(model.size);
      expect(8 + index.liveBytes + index.deletedBytes).toBe(at);
      expect(index.liveCount + index.deletedCount).toBe(
        steps.filter(({ kind }) => kind === "put").length,
      );
    }),
  );
});

test("a removed id is told from one never seen, and its place stays known", () => {
  const index = new NeedleIndex();
  index.put(0, 5, 8, 10);
  index.remove(0, 5, { hasTombstone: true });
  index.remove(0, 4, { hasTombstone: true });
  expect([4, 5, 6].map((low) => index.knows(0, low))).toEqual(["removed", "removed", "unknown"]);
  expect(index.knows(5, 0)).toBe("unknown");
  expect(index.findRemoved(0, 5)).toEqual({ offsetBytes: 8, bodyBytes: 10 });
  expect([4, 6].map((low) => index.findRemoved(0, low))).toEqual([undefined, undefined]);
  expect(index.needleIdMax).toBe(5n);
});

test("an empty needle that is removed is told from one that is live", () => {
  const index = new NeedleIndex();
  index.put(0, 1, 8, 0);
  expect(index.find(0, 1)).toEqual({ offsetBytes: 8, bodyBytes: 0 });
  index.remove(0, 1, { hasTombstone: false });
  expect(index.find(0, 1)).toBeUndefined();
  expect(index.findRemoved(0, 1)).toEqual({ offsetBytes: 8, bodyBytes: 0 });
});

/** Numbers as even as random ones, the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e37_79b9) >>> 0;
    let value = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    value = Math.imul(value ^ (value >>> 15), 0x735a_2d97);
    return (value ^ (value >>> 15)) >>> 0;
  };
}

const ID_PATTERNS: Readonly<Record<string, (next: () => number, step: number) => bigint>> = {
  "counting up": (_next, step) => BigInt(step + 1),
  "counting up with late ones": (next, step) => BigInt(64 + step - (next() % 64)),
  "counting down": (_next, step) => BigInt(1_000_000 - step),
  "from one place or another": (next, step) =>
    BigInt(1 + (next() % 3)) * 0x1_0000_0000n + BigInt(step),
  "wherever in 32 bits": (next) => BigInt(1 + (next() % 0xffff_fffe)),
  "wherever in 64 bits": (next) => (BigInt(next()) << 32n) | BigInt((next() | 1) >>> 0),
  "again and again": (next) => BigInt(1 + (next() % 500)),
  // Above 2⁵³ numbers are rounded.
  "counting up to the last": (next, step) =>
    0xffff_ffff_ffff_0000n + BigInt(step) + BigInt(next() % 3),
  "counting down from the last": (_next, step) => 0xffff_ffff_ffff_ffffn - BigInt(step),
  "a large step apart": (_next, step) => BigInt(step + 1) * 0x1_0000_0001n,
};

test.each(Object.entries(ID_PATTERNS))(
  "tens of thousands of ids, %s, are kept as a map keeps them",
  (_name, idAt) => {
    check(
      property(integer(), constantFrom(4 as const, 5 as const), (seed, offsetWidth) => {
        const next = numbers(seed);
        const index = new NeedleIndex({ offsetWidth });
        const model = new Map<bigint, number>();
        for (let step = 0; step < 12_000; step++) {
          const id = needleId(idAt(next, step));
          if (next() % 8 === 0) {
            index.remove(idHigh(id), idLow(id), { hasTombstone: true });
            model.delete(id);
          } else {
            // Now and then a place far away, and a size that needs all its bytes.
            const units = 1 + step + (next() % 64 === 0 ? next() % 0xfff_ffff : 0);
            const wide = offsetWidth === 5 && next() % 100 === 0 ? 0xff_0000_0000 : 0;
            const body = next() % 500 === 0 ? 0x7fff_0000 : next() % 2000;
            index.put(idHigh(id), idLow(id), (units + wide) * 8, body);
            model.set(id, (units + wide) * 8);
          }
        }
        let before = 0n;
        let wrong = 0;
        index.forEachLive((high, low, offsetBytes) => {
          const id = joinIdHalves(high, low);
          if (id <= before || model.get(id) !== offsetBytes) wrong++;
          before = id;
        });
        for (const [id, offsetBytes] of model) {
          const key = needleId(id);
          if (index.find(idHigh(key), idLow(key))?.offsetBytes !== offsetBytes) wrong++;
        }
        expect(wrong).toBe(0);
        expect(index.liveCount).toBe(model.size);
      }),
      { numRuns: 3 },
    );
  },
);

test("a snapshot stays as it was while the index changes", () => {
  const index = new NeedleIndex();
  for (let id = 1; id <= 20_000; id++) index.put(0, id, id * 8, id % 100);
  using snapshot = index.takeSnapshot();
  const before = index.counters;
  for (let id = 1; id <= 20_000; id += 7) index.remove(0, id, { hasTombstone: true });
  for (let id = 1; id <= 30_000; id += 5) index.put(0, id, (100_000 + id) * 8, 5);
  expect(snapshot.isLost).toBe(false);
  expect(snapshot.counters).toEqual(before);
  let next = 1;
  for (const leaf of snapshot.leaves) {
    for (let at = 0; at < (leaf?.count ?? 0); at++) {
      const expected = { idHigh: 0, idLow: next, units: next, size: next % 100 };
      if (!Bun.deepEquals(leaf?.entry(at), expected)) throw new Error(`entry ${next} changed`);
      next++;
    }
  }
  expect(next).toBe(20_001);
});

test("a snapshot for which too much would have to be copied is given up, and another can be taken", () => {
  const index = new NeedleIndex();
  for (let id = 1; id <= LEAF_ENTRIES * (LEAF_COPIES_MAX + 2); id += 1) {
    index.put(0, id, 8, 0);
  }
  const snapshot = index.takeSnapshot();
  for (let id = 1; id <= LEAF_ENTRIES * LEAF_COPIES_MAX; id += LEAF_ENTRIES)
    index.put(0, id, 16, 0);
  expect(snapshot.isLost).toBe(false);
  index.put(0, 1 + LEAF_ENTRIES * LEAF_COPIES_MAX, 16, 0);
  expect(snapshot.isLost).toBe(true);
  snapshot.release();
  using second = index.takeSnapshot();
  expect(second.isLost).toBe(false);
});

// The worst of them are ids without any order over 64 bits, which nothing that gives ids makes.
test.each([
  ["counting up", 8],
  ["counting up with late ones", 8],
  ["counting down", 9],
  ["wherever in 32 bits", 16],
  ["a large step apart", 16],
  ["wherever in 64 bits", 16],
])("200,000 needles, %s, take at most %i bytes each", (pattern, bytes) => {
  const index = new NeedleIndex();
  const next = numbers(7);
  for (let step = 0; step < 200_000; step++) {
    const id = needleId(ID_PATTERNS[pattern]?.(next, step) ?? 0n);
    index.put(idHigh(id), idLow(id), (step + 1) * 136, 1029);
  }
  expect(index.memoryBytes / index.entryCount).toBeLessThanOrEqual(bytes);
});
