import { expect, test } from "bun:test";
import { FaultyDisk } from "@kelp/base/testing";
import { systemDisk } from "@kelp/base/platform";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import { codeOf } from "../testing/index.ts";
import { LendingWorld } from "../testing/lending-world.ts";

/** What a gateway meets when there is no room: in its volume, and on the disk. */
const NEEDLE_BYTES = 50_000;

function fid(id: number, volume = 1): Fid {
  return { volumeId: volumeId(volume), needleId: needleId(BigInt(id)), cookie: 7 };
}

function content(id: number): Uint8Array {
  return new Uint8Array(NEEDLE_BYTES).fill(id);
}

test("a volume that a gateway fills goes back as full, and another is lent", async () => {
  await using world = await LendingWorld.open(2, { volumeSizeBytesMax: 10 * NEEDLE_BYTES });
  const { store } = world;
  const gateway = await world.gateway();
  const isFull = Promise.withResolvers<void>();
  using _watch = store.watchStates(({ id, state }) => {
    if (id === volumeId(1) && state === "full") isFull.resolve();
  });
  const stored: Fid[] = [];
  for (let id = 1; new Set(stored.map(({ volumeId: its }) => its)).size < 2; id++) {
    expect(id).toBeLessThan(100);
    if (gateway.volumes.pick("") === undefined) await gateway.volumes.borrow("");
    const target = fid(id, gateway.volumes.pick("") ?? 0);
    const refused = await codeOf(gateway.volumes.append(target, content(id)));
    if (refused === undefined) stored.push(target);
    else expect(refused).toBe("volume-full");
  }
  // It goes back when the gateway has closed it, not before the refusal is answered.
  await isFull.promise;
  const [first, second] = await store.volumes();
  expect(first).toMatchObject({ id: volumeId(1), state: "full" });
  expect(first?.holder).toBeUndefined();
  expect(second).toMatchObject({ id: volumeId(2), state: "writable", holder: "gateway 7" });
  for (const each of stored) {
    const read = await store.read(each);
    expect(Buffer.compare(read ?? Buffer.of(), content(Number(each.needleId)))).toBe(0);
  }
});

test("a gateway whose disk is full refuses at once, loses nothing acknowledged, and goes on when there is space", async () => {
  await using world = await LendingWorld.open();
  const { store } = world;
  const disk = new FaultyDisk(systemDisk);
  const gateway = await world.gateway(disk);
  await gateway.volumes.borrow("");
  await gateway.volumes.append(fid(1), content(1));
  disk.spaceBytes = NEEDLE_BYTES + NEEDLE_BYTES / 2;
  const outcomes = await Promise.all(
    [2, 3, 4].map((id) => codeOf(gateway.volumes.append(fid(id), content(id)))),
  );
  expect(outcomes).toContain("out-of-space");
  const kept = [1, ...[2, 3, 4].filter((_, index) => outcomes[index] === undefined)];
  const expectKept = async (): Promise<void> => {
    for (const id of [1, 2, 3, 4]) {
      const read = await store.read(fid(id));
      expect(read === undefined).toBe(!kept.includes(id));
      if (read !== undefined) expect(Buffer.compare(read, content(id))).toBe(0);
    }
  };
  await expectKept();
  expect(await codeOf(gateway.volumes.append(fid(5), content(5)))).toBeDefined();
  disk.spaceBytes = Number.POSITIVE_INFINITY;
  if (gateway.volumes.pick("") === undefined) await gateway.volumes.borrow("");
  await gateway.volumes.append(fid(6), content(6));
  expect(Buffer.compare((await store.read(fid(6))) ?? Buffer.of(), content(6))).toBe(0);
  await expectKept();
});

test("a write that fails takes the volume from the gateway, and its owner judges what is in it", async () => {
  await using world = await LendingWorld.open();
  const { store } = world;
  const disk = new FaultyDisk(systemDisk);
  const gateway = await world.gateway(disk);
  await gateway.volumes.borrow("");
  await gateway.volumes.append(fid(1), content(1));
  disk.syncsUntilFailure = 1;
  expect(await codeOf(gateway.volumes.append(fid(2), content(2)))).toBe("volume-failed");
  expect(gateway.volumes.pick("")).toBeUndefined();
  expect(Buffer.compare((await store.read(fid(1))) ?? Buffer.of(), content(1))).toBe(0);
  const [status] = await store.volumes();
  expect(status?.holder).toBeUndefined();
});
