import { expect, test } from "bun:test";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import { RETURNED_VOLUMES_KEPT_MAX } from "../limits.ts";
import { codeOf } from "../testing/index.ts";
import { LendingWorld } from "../testing/lending-world.ts";

const ONE = volumeId(1);

function fid(id: number, volume = 1): Fid {
  return { volumeId: volumeId(volume), needleId: needleId(BigInt(id)), cookie: 7 };
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

test("a borrowed volume is written by the gateway alone, and served through it to everybody", async () => {
  await using world = await LendingWorld.open();
  const { store } = world;
  await store.append(fid(1), bytes("before"));
  const [writer, other] = [await world.gateway(), await world.gateway()];
  await writer.volumes.borrow("");
  expect(writer.volumes.pick("")).toBe(ONE);
  expect(other.volumes.pick("")).toBeUndefined();
  await writer.volumes.append(fid(2), bytes("by the gateway"));
  // Durable in the very file.
  expect(world.data().includes("by the gateway")).toBe(true);
  await store.append(fid(3), bytes("by the owner"));
  for (const volumes of [store, writer.volumes, other.volumes]) {
    for (const [id, text] of [
      [1, "before"],
      [2, "by the gateway"],
      [3, "by the owner"],
    ] as const) {
      expect(Buffer.from((await volumes.read(fid(id))) ?? []).toString()).toBe(text);
    }
    expect(await volumes.read({ ...fid(2), cookie: 8 })).toBeUndefined();
    expect(await volumes.read(fid(99))).toBeUndefined();
  }
  await other.volumes.remove([fid(1)]);
  expect(await store.read(fid(1))).toBeUndefined();
  expect(await writer.volumes.read(fid(1))).toBeUndefined();
  const [status] = await store.volumes();
  expect(status).toMatchObject({
    state: "writable",
    holder: "gateway 7",
    liveCount: 2,
    deletedCount: 1,
  });
  expect(store.lentTo(writer.borrower)).toEqual([ONE]);
  expect(store.lentTo(other.borrower)).toEqual([]);
  await store.setWritable(ONE, "read-only");
  expect(store.lentTo(writer.borrower)).toEqual([]);
  const [back] = await store.volumes();
  expect(back).toMatchObject({ state: "read-only" });
  expect(back?.holder).toBeUndefined();
});

test("whole needles of a lent volume are written, read and removed through its borrower", async () => {
  await using world = await LendingWorld.open();
  const { store } = world;
  const gateway = await world.gateway();
  await gateway.volumes.borrow("");
  const needle = { data: bytes("whole"), name: "name.txt", mime: "text/plain" };
  expect(await store.writeNeedle(fid(5), needle)).toBe("written");
  expect(await store.writeNeedle(fid(5), needle)).toBe("unchanged");
  const read = await store.readNeedle(fid(5));
  expect(Buffer.from(read?.data ?? []).toString()).toBe("whole");
  expect(await codeOf(store.writeNeedle({ ...fid(5), cookie: 9 }, needle))).toBe("cookie-mismatch");
  expect(await store.removeNeedle(fid(5))).toBe(5);
  expect(await store.readNeedle(fid(5))).toBeUndefined();
});

test("a volume is lent to one at a time, and comes back for a job or a scan", async () => {
  await using world = await LendingWorld.open();
  const { store } = world;
  const [first, second] = [await world.gateway(), await world.gateway()];
  await first.volumes.borrow("");
  expect(await codeOf(store.lend(ONE, second.borrower))).toBe("job-running");
  await first.volumes.append(fid(1), bytes("a"));
  const scanned = await Array.fromAsync(store.scan(ONE));
  expect(scanned.length).toBe(1);
  expect(first.volumes.pick("")).toBeUndefined();
  // What was assigned there goes to the owner now.
  await first.volumes.append(fid(2), bytes("b"));
  await first.volumes.borrow("");
  await store.setWritable(ONE, "read-only");
  expect((await store.volumes())[0]?.state).toBe("read-only");
  expect(await codeOf(store.lend(ONE, second.borrower))).toBe("read-only");
  await store.setWritable(ONE, "writable");
  await store.lend(ONE, second.borrower);
  await store.remove([fid(1)]);
  await store.vacuum(ONE);
  expect(await store.read(fid(1))).toBeUndefined();
  expect(Buffer.from((await store.read(fid(2))) ?? []).toString()).toBe("b");
});

test("it is known which volumes a borrower had last, the newest ones of those that it gave back", async () => {
  await using world = await LendingWorld.open();
  const { store } = world;
  const [first, second] = [await world.gateway(), await world.gateway()];
  const ids = Array.from({ length: RETURNED_VOLUMES_KEPT_MAX + 2 }, (_, index) =>
    volumeId(index + 1),
  );
  for (const id of ids) {
    if (id !== ONE) await store.createVolume(id, { collection: "" });
    await store.lend(id, first.borrower);
    await store.setWritable(id, "writable");
  }
  await store.lend(ONE, first.borrower);
  expect(store.lentTo(first.borrower)).toEqual([ONE]);
  expect(store.heldBy(first.borrower)).toEqual([ONE, ...ids.slice(2)]);
  expect(store.heldBy(second.borrower)).toEqual([]);
});

test("what is being scanned is not lent, and a gateway has the owner append meanwhile", async () => {
  await using world = await LendingWorld.open();
  const { store } = world;
  const gateway = await world.gateway();
  for (let id = 1; id <= 3; id++) await store.append(fid(id), bytes("x"));
  for await (const _needle of store.scan(ONE)) {
    expect(await codeOf(store.lend(ONE, gateway.borrower))).toBe("job-running");
    // There is no other: asking for one is no failure.
    await gateway.volumes.borrow("");
    expect(gateway.volumes.pick("")).toBeUndefined();
    await gateway.volumes.append(fid(9), bytes("meanwhile"));
  }
  expect(Buffer.from((await store.read(fid(9))) ?? []).toString()).toBe("meanwhile");
  await store.lend(ONE, gateway.borrower);
  expect(gateway.volumes.pick("")).toBe(ONE);
});

test("a borrower that dies loses nothing acknowledged, and calls under way are answered", async () => {
  await using world = await LendingWorld.open();
  const { store } = world;
  const [gateway, other] = [await world.gateway(), await world.gateway()];
  await gateway.volumes.borrow("");
  const ids = Array.from({ length: 50 }, (_, index) => index + 1);
  await Promise.all(ids.map((id) => gateway.volumes.append(fid(id), bytes(`needle ${id}`))));
  const reads = ids.map((id) => store.read(fid(id)));
  const appended = store.append(fid(100), bytes("while it dies"));
  await gateway.crash();
  await appended;
  const texts = (await Promise.all(reads)).map((data) => Buffer.from(data ?? []).toString());
  expect(texts).toEqual(ids.map((id) => `needle ${id}`));
  for (const volumes of [store, other.volumes]) {
    expect(Buffer.from((await volumes.read(fid(100))) ?? []).toString()).toBe("while it dies");
  }
  // It can be lent again.
  await other.volumes.borrow("");
  expect(other.volumes.pick("")).toBe(ONE);
});

test("a gateway follows a volume through growth, vacuum and removal", async () => {
  await using world = await LendingWorld.open(2);
  const { store } = world;
  const [writer, reader] = [await world.gateway(), await world.gateway()];
  await writer.volumes.borrow("");
  for (let round = 0; round < 5; round++) {
    for (let index = 0; index < 200; index++) {
      const id = round * 200 + index + 1;
      await writer.volumes.append(fid(id), bytes(`needle ${id}`));
      if (index % 50 === 0) {
        expect(Buffer.from((await reader.volumes.read(fid(id))) ?? []).toString()).toBe(
          `needle ${id}`,
        );
      }
    }
    const removed = Array.from({ length: 50 }, (_, index) => fid(round * 200 + index + 1));
    await writer.volumes.remove(removed);
    await store.vacuum(ONE);
    await store.append(fid(5000 + round), bytes("after the vacuum"));
    for (const id of [round * 200 + 51, round * 200 + 200, 5000 + round]) {
      const expected = id >= 5000 ? "after the vacuum" : `needle ${id}`;
      expect(Buffer.from((await reader.volumes.read(fid(id))) ?? []).toString()).toBe(expected);
    }
    await reader.volumes.refresh();
    expect(await reader.volumes.read(fid(round * 200 + 1))).toBeUndefined();
    if (writer.volumes.pick("") === undefined) await store.lend(ONE, writer.borrower);
  }
  await store.deleteVolume(ONE);
  await reader.volumes.refresh();
  expect(await codeOf(reader.volumes.read(fid(5000)))).toBe("no-such-volume");
});

test("a store that closes has its volumes back", async () => {
  await using world = await LendingWorld.open();
  const gateway = await world.gateway();
  await gateway.volumes.borrow("");
  await gateway.volumes.append(fid(1), bytes("kept"));
  await world.store.close();
  expect(gateway.volumes.pick("")).toBeUndefined();
  expect(await codeOf(gateway.volumes.append(fid(2), bytes("late")))).toBe("closed");
});
