import { expect, test } from "bun:test";
import { CallError } from "@kelp/base";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import {
  type FilerWorld,
  TREE,
  codeOf,
  noise,
  openTreeWorld,
  pathOf,
  write,
} from "../testing/index.ts";
import { bodiesOfGateways } from "./gateways.ts";

const ORPHAN: Fid = { volumeId: volumeId(1), needleId: needleId(77n), cookie: 5 };
const GRACE = { graceMs: 1000 };
const SIZE = 1024 * 1024;

/** Gateways that say "no" to everything, but the last one, which answers as it is told. */
interface Told {
  answer: "held" | "not-held" | "gone";
}

async function openWorld(told: Told): Promise<FilerWorld> {
  const answered = (name: string, say: Told["answer"], fids: readonly unknown[]): boolean[] => {
    if (say === "gone") throw new CallError("peer-gone", `Cannot call ${name}`);
    return fids.map(() => say === "held");
  };
  const gateway = (say: () => Told["answer"]) => ({
    call: async (name: string, fids: unknown) => answered(name, say(), fids as unknown[]),
  });
  const gateways = [gateway(() => "not-held"), gateway(() => told.answer)];
  return openTreeWorld({ others: bodiesOfGateways(() => gateways) });
}

test("garbage that a gateway reads is kept, and while one does not answer none is freed", async () => {
  const told: Told = { answer: "held" };
  using world = await openWorld(told);
  await write(world, "gone", noise(SIZE));
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("gone") });
  world.clock.advance(5000);
  expect(await world.filer.collect(GRACE)).toMatchObject({ removedChunks: 0, heldRows: 1 });
  told.answer = "gone";
  expect(await codeOf(world.filer.collect(GRACE))).toBe("peer-gone");
  expect(world.volumes.needleCount).toBe(1);
  told.answer = "not-held";
  expect(await world.filer.collect(GRACE)).toMatchObject({ removedChunks: 1, heldRows: 0 });
  expect(world.volumes.needleCount).toBe(0);
});

test("a needle of a body on its way through a gateway is no orphan, to the sweep and to the check", async () => {
  const told: Told = { answer: "held" };
  using world = await openWorld(told);
  await write(world, "kept", noise(SIZE));
  await world.volumes.append(ORPHAN, noise(9));
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ waitingNeedles: 1 });
  world.clock.advance(5000);
  expect(await world.filer.sweepOrphans(GRACE)).toMatchObject({ removedNeedles: 0 });
  const check = () => Array.fromAsync(world.filer.check({ orphans: "remove" }));
  expect(await check()).toEqual([]);
  await world.filer.sweepOrphans(GRACE);
  world.clock.advance(5000);
  told.answer = "gone";
  expect(await codeOf(world.filer.sweepOrphans(GRACE))).toBe("peer-gone");
  expect(await codeOf(check())).toBe("peer-gone");
  expect(world.volumes.needleCount).toBe(2);
  told.answer = "not-held";
  expect(await check()).toMatchObject([{ kind: "orphan-needle", isRemoved: true }]);
  expect(world.volumes.needleCount).toBe(1);
});
