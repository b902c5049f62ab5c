import { expect, test } from "bun:test";
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { needleId } from "@kelp/wire";
import {
  ErasureWorld,
  type OpenWorld,
  REMOVED,
  SIZES,
  SMALL_SHAPE,
  allReadable,
} from "../testing/erasure-world.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { ONE, content, fid } from "../testing/volume-world.ts";
import { decodeVolume } from "./decode.ts";
import { encodeVolume } from "./encode.ts";
import { erasureContentOf } from "./open-erasure.ts";
import { rebuildVolume } from "./rebuild.ts";
import { scrubErasure } from "./scrub-shards.ts";

/** No job of a test shall wait for its pace. */
const FAST = { bytesPerSec: 1e12 };

async function encoded(world: ErasureWorld): Promise<void> {
  await using open = await world.open();
  await encode(open);
}

function encode(open: OpenWorld): Promise<void> {
  return encodeVolume(open.context, ONE, open.slot, { ...SMALL_SHAPE, ...FAST });
}

function missingOf(open: OpenWorld): readonly number[] | undefined {
  return erasureContentOf(open.volume)?.file.missingShards;
}

test("an encoded volume reads as before, its shards spread over the folders and its volume file gone", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  const shards = world.folders.map((folder) =>
    readdirSync(folder).filter((name) => /^1\.ec\d\d$/.test(name)),
  );
  const counts = shards.map((names) => names.length).sort((left, right) => left - right);
  expect(counts).toEqual([1, 2, 2]);
  expect(shards.flat().sort()).toEqual(["1.ec00", "1.ec01", "1.ec02", "1.ec03", "1.ec04"]);
  expect([world.files(".dat"), world.files(".idx"), world.files(".tmp")]).toEqual([[], [], []]);
  // Every folder can be the only one left to know how the shards fit together.
  expect([".ecx", ".ecsum", ".vif"].map((end) => world.files(end).length)).toEqual([3, 3, 3]);
  await using open = await world.open();
  expect(await open.readAll()).toEqual(allReadable());
  expect(open.volume.status()).toMatchObject({
    state: "read-only",
    liveCount: SIZES.length - REMOVED.length,
    form: { kind: "erasure-coded", dataShards: 3, parityShards: 2, missingShards: [] },
  });
});

test("a scan of an encoded volume gives every live needle in the order of the file", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  await using open = await world.open();
  const live = SIZES.filter(([id]) => !REMOVED.includes(id));
  expect(await open.scanAll()).toEqual(
    live.map(([id, sizeBytes]) => ({
      kind: "live",
      needleId: needleId(BigInt(id)),
      cookie: fid(id).cookie,
      sizeBytes,
      appendedNs: expect.any(BigInt),
    })),
  );
});

test("a volume that takes needles is not encoded, and neither is one in another form", async () => {
  using world = new ErasureWorld();
  await using open = await world.open();
  const counts = { dataShards: 31, parityShards: 2 };
  expect(await codeOf(encodeVolume(open.context, ONE, open.slot, counts))).toBe("invalid-shape");
  expect(await codeOf(rebuildVolume(open.context, ONE, open.slot, {}))).toBe("wrong-form");
  expect(await codeOf(decodeVolume(open.context, ONE, open.slot, {}))).toBe("wrong-form");
  await encode(open);
  expect(await codeOf(encode(open))).toBe("wrong-form");
});

test("a volume with a corrupt needle is not encoded, and stays what it was", async () => {
  using world = new ErasureWorld();
  {
    await using _open = await world.open();
  }
  world.flip(".dat", 100);
  await using open = await world.open();
  expect(await codeOf(encode(open))).toBe("needle-corrupt");
  expect(open.volume.status()).toMatchObject({ state: "full", form: { kind: "plain" } });
  expect(world.files(".ecx")).toEqual([]);
});

test("with any two of five shards gone every needle reads, and the rebuilt shards are those of before", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  const all = new Map([0, 1, 2, 3, 4].map((shard) => [shard, world.read(`.ec0${shard}`)] as const));
  for (let first = 0; first < 5; first++) {
    for (let second = first + 1; second < 5; second++) {
      world.remove(`.ec0${first}`);
      world.remove(`.ec0${second}`);
      await using open = await world.open();
      expect(await open.readAll()).toEqual(allReadable());
      expect(missingOf(open)).toEqual([first, second]);
      expect(await rebuildVolume(open.context, ONE, open.slot, FAST)).toEqual([first, second]);
      expect(missingOf(open)).toEqual([]);
      for (const [shard, bytes] of all) expect(world.read(`.ec0${shard}`)).toEqual(bytes);
    }
  }
});

test("with three of five shards gone what stands in the others still reads, the rest says what is there", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  for (const shard of [1, 2, 4]) world.remove(`.ec0${shard}`);
  await using open = await world.open();
  expect(open.volume.state).toBe("failed");
  const reads = new Set((await open.readAll()).values());
  expect(reads.has("too-few-shards")).toBe(true);
  // Needle 1 is in the first block.
  expect(await open.readOne(1)).toBe(Buffer.from(content(1, 1)).toString("hex"));
  for (const job of [rebuildVolume, decodeVolume]) {
    let failure: unknown;
    try {
      await job(open.context, ONE, open.slot, FAST);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ code: "too-few-shards" });
    expect(String(failure)).toContain("2 shards can be used (0, 3), 3 are needed");
  }
});

test("flipped bits in two shards give no wrong byte: blocks are put aside, a scrub makes the shards anew", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  const [first, second] = [world.read(".ec00"), world.read(".ec01")];
  // In blocks of other rows too, so that no shard can be used in all of them.
  for (let at = 60; at < first.length; at += 700) world.flip(".ec00", at);
  for (let at = 300; at < second.length; at += 900) world.flip(".ec01", at);
  await using open = await world.open();
  expect(await open.readAll()).toEqual(allReadable());
  expect(missingOf(open)).toEqual([0, 1]);
  const report = await scrubErasure(open.context, ONE, open.slot, FAST);
  expect(report.damaged).toEqual([]);
  expect(new Set(report.repaired.map((damage) => damage.what))).toEqual(
    new Set(["shard 0", "shard 1"]),
  );
  expect([world.read(".ec00"), world.read(".ec01")]).toEqual([first, second]);
  expect(missingOf(open)).toEqual([]);
});

test("a scrub of a whole volume finds nothing and changes nothing", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  await using open = await world.open();
  const report = await scrubErasure(open.context, ONE, open.slot, FAST);
  expect(report).toMatchObject({ repaired: [], damaged: [] });
  expect(report.checkedCount).toBe(SIZES.length - REMOVED.length);
});

test("without checksums a flipped bit is found by trying without the shard", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  world.remove(".ecsum");
  world.flip(".ec00", 60);
  await using open = await world.open();
  expect(await open.readAll()).toEqual(allReadable());
  expect(missingOf(open)).toEqual([0]);
});

test("damage beyond the parity is an error of the needle and never other bytes", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  for (const shard of [0, 1, 2, 3]) {
    const length = world.read(`.ec0${shard}`).length;
    for (let at = 20; at < length; at += 100) world.flip(`.ec0${shard}`, at);
  }
  await using open = await world.open();
  const expected = allReadable();
  for (const [id, text] of await open.readAll()) {
    const isRight = text === expected.get(id);
    expect(isRight || ["needle-corrupt", "too-few-shards"].includes(text)).toBe(true);
  }
  const report = await scrubErasure(open.context, ONE, open.slot, FAST);
  expect(report.repaired).toEqual([]);
  expect(report.damaged.length).toBeGreaterThan(3);
});

test("a removal is journalled in every folder, and holds when any folder is all that is left of it", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  {
    await using open = await world.open();
    await open.volume.remove(fid(5));
    await open.volume.remove(fid(6, 0x99));
    await open.volume.remove(fid(500));
    await open.volume.remove(fid(5));
    expect(await open.readAll()).toEqual(allReadable([5]));
    expect(open.volume.status()).toMatchObject({ deletedCount: 1 });
  }
  const journals = world.files(".ecj");
  expect(journals.map((path) => readFileSync(path).toString("hex"))).toEqual(
    Array.from({ length: 3 }, () => "0000000000000005"),
  );
  for (const path of journals.slice(1)) writeFileSync(path, "");
  // A torn removal was never acknowledged.
  writeFileSync(journals[0] ?? "", Buffer.from("0000000000000005000000", "hex"));
  await using open = await world.open();
  expect(await open.readAll()).toEqual(allReadable([5]));
  await open.volume.remove(fid(7));
  await open.close();
  await using again = await world.open();
  expect(await again.readAll()).toEqual(allReadable([5, 7]));
});

test("a journal that was away while needles were removed learns of them, and holds them alone", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  {
    await using open = await world.open();
    await open.volume.remove(fid(1));
  }
  const [first = "", second = "", third = ""] = world.folders.map((folder) => `${folder}/1.ecj`);
  // As when its folder was not there, with half an entry that a crash left.
  writeFileSync(second, "half");
  rmSync(third);
  await (await world.open()).close();
  expect(readFileSync(second)).toEqual(readFileSync(first));
  expect(readFileSync(third)).toEqual(readFileSync(first));
  rmSync(first);
  await using open = await world.open();
  expect(await open.readAll()).toEqual(allReadable([1]));
});

test("where nothing says when it was encoded the date of its newest needle is not known", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  {
    await using open = await world.open();
    expect(open.volume.status().modifiedMs).toBeGreaterThan(0);
  }
  world.remove(".vif");
  await using open = await world.open();
  // That of the first is long before: the volume would be dropped by its TTL with needles that live.
  expect(open.volume.status().modifiedMs).toBe(0);
  expect(open.volume.status().createdMs).toBeGreaterThan(0);
});

test("shards of a volume file beyond what offsets of its index reach are refused", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  for (const path of world.files(".vif")) {
    const info = readFileSync(path, "utf8");
    writeFileSync(path, info.replace(/"datFileSize": "\d+"/, '"datFileSize": "34359738376"'));
  }
  const failure: unknown = await world.open().catch((error: unknown) => error);
  expect(String(failure)).toContain("34359738376 bytes, at most 34359738368 can be addressed");
});

test("an append is refused, whatever is missing", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  await using open = await world.open();
  expect(await codeOf(open.volume.append(fid(90), content(90, 10)))).toBe("read-only");
});

test("decoding gives back the volume file byte for byte, and encoding that the same shards", async () => {
  using world = new ErasureWorld();
  await using open = await world.open();
  const data = world.read(".dat");
  await encode(open);
  const shards = shardsByNumber(world);
  const index = world.read(".ecx");
  await decodeVolume(open.context, ONE, open.slot, FAST);
  expect(world.read(".dat")).toEqual(data);
  expect(world.files().filter((path) => /\.ec/.test(path))).toEqual([]);
  expect(open.volume.status()).toMatchObject({ state: "full", form: { kind: "plain" } });
  expect(await open.readAll()).toEqual(allReadable());
  await encode(open);
  expect(world.read(".ecx")).toEqual(index);
  expect(shardsByNumber(world)).toEqual(shards);
});

/** Which folder has which depends on their space, and others write to the same disk. */
function shardsByNumber(world: ErasureWorld): Buffer[] {
  return world
    .files()
    .filter((path) => /ec\d\d$/.test(path))
    .sort((left, right) => (left.slice(-4) < right.slice(-4) ? -1 : 1))
    .map((path) => readFileSync(path));
}

test("decoding folds the journal in, so that what was removed stays removed when the index is lost", async () => {
  using world = new ErasureWorld();
  await encoded(world);
  {
    await using open = await world.open();
    for (const id of [1, 21, 22]) await open.volume.remove(fid(id));
    world.remove(".ec01");
    await decodeVolume(open.context, ONE, open.slot, FAST);
    expect(await open.readAll()).toEqual(allReadable([1, 21, 22]));
  }
  world.remove(".idx");
  await using open = await world.open();
  expect(await open.readAll()).toEqual(allReadable([1, 21, 22]));
});

test("one folder lost with its shards, index and checksums costs nothing", async () => {
  using world = new ErasureWorld(5);
  await encoded(world);
  rmSync(world.folders[0] ?? "", { recursive: true });
  await using open = await world.open();
  expect(await open.readAll()).toEqual(allReadable());
  expect(missingOf(open)?.length).toBe(1);
  await rebuildVolume(open.context, ONE, open.slot, FAST);
  expect(missingOf(open)).toEqual([]);
});

test("a folder that comes back with shards of an earlier encoding is left alone", async () => {
  using world = new ErasureWorld(5);
  await encoded(world);
  const returning = world.folders[1] ?? "";
  cpSync(returning, `${returning}-away`, { recursive: true });
  {
    await using open = await world.open();
    await open.volume.remove(fid(9));
    await decodeVolume(open.context, ONE, open.slot, FAST);
    await encode(open);
  }
  rmSync(returning, { recursive: true });
  cpSync(`${returning}-away`, returning, { recursive: true });
  await using open = await world.open();
  expect(missingOf(open)?.length).toBe(1);
  expect(await open.readAll()).toEqual(allReadable([9]));
});
