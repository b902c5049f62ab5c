import { expect, test } from "bun:test";
import { assert as check, bigInt, constantFrom, nat, property, record, array } from "fast-check";
import { needleId } from "@kelp/wire";
import { idHigh, idLow, joinIdHalves } from "../needle/id-halves.ts";
import { TOMBSTONE_BYTES, recordBytesOf } from "../needle/layout.ts";
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
          model.delete(id);
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

test("a removed id is told from one never seen", () => {
  const index = new NeedleIndex();
  index.put(0, 5, 8, 10);
  index.remove(0, 5, { hasTombstone: true });
  expect([index.knows(0, 5), index.knows(0, 6), index.knows(5, 0)]).toEqual([
    "removed",
    "unknown",
    "unknown",
  ]);
  expect(index.needleIdMax).toBe(5n);
});

test.each(["counting up", "spread by a large step"])(
  "200,000 ids %s are all found, in at most 24 bytes each",
  (kind) => {
    const index = new NeedleIndex();
    const idAt = (count: number): bigint =>
      kind === "counting up" ? BigInt(count) : BigInt(count) * 0x1_0000_0001n;
    for (let count = 1; count <= 200_000; count++) {
      const id = needleId(idAt(count));
      index.put(idHigh(id), idLow(id), count * 8, count);
    }
    let wrong = 0;
    for (let count = 1; count <= 200_000; count++) {
      const id = needleId(idAt(count));
      if (index.find(idHigh(id), idLow(id))?.bodyBytes !== count) wrong++;
    }
    expect(wrong).toBe(0);
    expect(index.memoryBytes / 200_000).toBeLessThanOrEqual(24);
  },
);
