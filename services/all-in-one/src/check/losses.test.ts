import { expect, test } from "bun:test";
import type { NeedleName, NeedleOwner } from "@kelp/filer";
import { needleId, volumeId } from "@kelp/wire";
import { Losses } from "./losses.ts";

const ONE = { volumeId: volumeId(1), needleId: needleId(0xan), cookie: 1 };
const TWO = { volumeId: volumeId(2), needleId: needleId(0xan), cookie: 1 };

function lossesOwnedBy(owners: readonly NeedleOwner[]): Losses {
  async function* ownersOf(needles: readonly NeedleName[]): AsyncGenerator<NeedleOwner> {
    expect(needles.length).toBeGreaterThan(0);
    yield* owners;
  }
  return new Losses({ ownersOf });
}

async function textsOf(losses: Losses): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of losses.told()) texts.push(text);
  return texts;
}

test("what is lost is told with the entries that it is of, three of many by name, and what nobody names without", async () => {
  const owners = ["a", "b", "c", "d", "e"].map((name) => ({ ...ONE, owner: `entry ${name} of x` }));
  const losses = lossesOwnedBy(owners);
  expect(losses.take({ kind: "missing-chunk", fid: ONE })).toBe(true);
  expect(losses.take({ ...TWO, kind: "corrupt-needle", reason: "rot" })).toBe(true);
  expect(losses.take({ kind: "size-differs", fid: ONE, storedBytes: 1, namedBytes: 2 })).toBe(true);
  expect(await textsOf(losses)).toEqual([
    "blob 1,0a00000001 is missing; it is of entry a of x, entry b of x, entry c of x and 2 more",
    "blob a in volume 2 is damaged: rot",
    "blob 1,0a00000001 has 1 bytes, its entry says 2; it is of entry a of x, entry b of x, entry c of x and 2 more",
  ]);
});

test("what is of no needle is not kept, and neither is more than anybody reads", async () => {
  const losses = lossesOwnedBy([]);
  expect(losses.take({ kind: "damaged-entry", owner: "entry a of x", reason: "rot" })).toBe(false);
  for (let count = 0; count < 10_000; count += 1) losses.take({ kind: "missing-chunk", fid: ONE });
  expect(losses.take({ kind: "missing-chunk", fid: ONE })).toBe(false);
  expect(await textsOf(losses)).toHaveLength(10_000);
});
