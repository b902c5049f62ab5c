import { expect, test } from "bun:test";
import { type Fid, volumeId } from "@kelp/wire";
import {
  type FilerWorld,
  MemoryVolumeError,
  TREE,
  codeOf,
  noise,
  openTreeWorld,
  pathOf,
  write,
} from "../testing/index.ts";

const MIB = 1024 * 1024;
const NOW = { graceMs: 0 };

/** Content of "a" is in volume 2, of "b" in volume 1; both are garbage. */
async function twoVolumes(): Promise<FilerWorld> {
  const world = await openTreeWorld();
  const assign = world.volumes.assign.bind(world.volumes);
  world.volumes.assign = async (request): Promise<Fid> => ({
    ...(await assign(request)),
    volumeId: volumeId(2),
  });
  await write(world, "a", noise(MIB));
  world.volumes.assign = assign;
  await write(world, "b", noise(MIB));
  for (const name of ["a", "b"]) {
    await world.filer.deleteEntry({ tree: TREE, path: pathOf(name) });
  }
  return world;
}

/** Lets volume 2 refuse every removal with this error, until what is returned is called. */
function refuseInTwo(world: FilerWorld, code: string): () => void {
  const remove = world.volumes.remove.bind(world.volumes);
  world.volumes.remove = async (fids) => {
    await remove(fids.filter((fid) => fid.volumeId !== 2));
    if (fids.some((fid) => fid.volumeId === 2)) throw new MemoryVolumeError(code);
  };
  return () => {
    world.volumes.remove = remove;
  };
}

test.each([
  "volume-missing",
  "read-only",
  "volume-failed",
  "too-few-shards",
  "shards-corrupt",
  "index-corrupt",
  "remote-failed",
])(
  "garbage in a volume that is %s waits, is told of, and keeps no other from being freed",
  async (code) => {
    using world = await twoVolumes();
    const relent = refuseInTwo(world, code);
    expect(await codeOf(world.filer.collect(NOW))).toBe(code);
    expect(world.volumes.needleCount).toBe(1);
    // For a while it is stepped over, so that what stands behind it has its turn.
    expect(await world.filer.collect(NOW)).toMatchObject({ removedChunks: 0, heldRows: 1 });
    await write(world, "c", noise(MIB));
    await world.filer.deleteEntry({ tree: TREE, path: pathOf("c") });
    expect(await world.filer.collect(NOW)).toMatchObject({ removedChunks: 1, heldRows: 1 });
    relent();
    world.clock.advance(60 * 60_000);
    expect(await world.filer.collect(NOW)).toMatchObject({ removedChunks: 1, heldRows: 0 });
    expect(world.volumes.needleCount).toBe(0);
    expect(await Array.fromAsync(world.filer.check())).toEqual([]);
  },
);

test("what was in a volume that is deleted is gone with it", async () => {
  using world = await twoVolumes();
  refuseInTwo(world, "no-such-volume");
  expect(await world.filer.collect(NOW)).toMatchObject({ removedChunks: 2, heldRows: 0 });
  expect(await world.filer.collect(NOW)).toMatchObject({ removedChunks: 0, heldRows: 0 });
});

test("what becomes garbage after a hold began stays, in a round that was under way too", async () => {
  using world = await openTreeWorld();
  await write(world, "a", noise(MIB));
  const round = world.filer.collect(NOW);
  const holding = world.filer.hold();
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("a") });
  expect((await round).removedChunks).toBe(0);
  const held = await holding;
  expect((await world.filer.collect(NOW)).removedChunks).toBe(0);
  expect(world.volumes.needleCount).toBe(1);
  held?.[Symbol.dispose]();
  expect((await world.filer.collect(NOW)).removedChunks).toBe(1);
});

test("a hold begins when the round that is under way has ended, however it ends", async () => {
  for (const ending of ["well", "badly"]) {
    using world = await openTreeWorld();
    await write(world, "a", noise(MIB));
    await world.filer.deleteEntry({ tree: TREE, path: pathOf("a") });
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    world.volumes.remove = async () => {
      begun.resolve();
      await gate.promise;
      if (ending === "badly") throw new MemoryVolumeError("read-failed");
    };
    const order: string[] = [];
    const round = world.filer.collect(NOW).then(
      () => order.push("round"),
      () => order.push("round"),
    );
    await begun.promise;
    const holding = world.filer.hold().then((held) => {
      order.push("hold");
      return held;
    });
    gate.resolve();
    await round;
    using held = await holding;
    expect([held === undefined, order]).toEqual([false, ["round", "hold"]]);
  }
});
