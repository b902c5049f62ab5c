import { expect, test } from "bun:test";
import { type Chunk, needleId, volumeId } from "@kelp/wire";
import { isNamedNeedle, namedCookies } from "./named-needle.ts";

const named: Chunk = {
  fid: { volumeId: volumeId(3), needleId: needleId(7n), cookie: 0x1234 },
  sizeBytes: 10,
};

/** A store that names just that chunk, in the order of addresses. */
const store = {
  listReferences: ({ volumeId: id, after }: Parameters<typeof list>[0]): readonly Chunk[] =>
    list({ volumeId: id, after, limit: 1 }),
};

function list(query: {
  readonly volumeId: Chunk["fid"]["volumeId"];
  readonly after: Chunk["fid"] | undefined;
  readonly limit: number;
}): readonly Chunk[] {
  const { volumeId: id, after } = query;
  const isBehind =
    after === undefined ||
    named.fid.needleId > after.needleId ||
    (named.fid.needleId === after.needleId && named.fid.cookie > after.cookie);
  return id === named.fid.volumeId && isBehind ? [named] : [];
}

test("a needle under another cookie than its name has is named all the same", () => {
  expect(isNamedNeedle(store, named.fid)).toBe(true);
  expect(isNamedNeedle(store, { ...named.fid, cookie: 0x9999 })).toBe(true);
});

test("a needle of another id or volume is not", () => {
  for (const id of [6n, 8n]) {
    expect(isNamedNeedle(store, { ...named.fid, needleId: needleId(id) })).toBe(false);
  }
  expect(isNamedNeedle(store, { ...named.fid, volumeId: volumeId(4) })).toBe(false);
});

test("the cookies of what is named in a volume are known, and of no other", () => {
  expect([...namedCookies(store, volumeId(3))]).toEqual([0x1234]);
  expect([...namedCookies(store, volumeId(4))]).toEqual([]);
});
