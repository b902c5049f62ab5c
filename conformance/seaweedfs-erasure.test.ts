import { expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type VolumeStore, rebuildIndexes } from "@kelp/volume";
import { volumeId } from "@kelp/wire";
import {
  type RecordedNeedle,
  fidOf,
  openFixture,
  readContent,
  recordedNeedles,
  unpackFixture,
} from "./harness/seaweedfs-fixture.ts";

/** The volume that SeaweedFS made into shards. */
const CODED = volumeId(22);
const NEEDLES = recordedNeedles().filter((needle) => fidOf(needle).volumeId === CODED);
const SHARDS = Array.from({ length: 14 }, (_shard, index) => index);

function shardName(shard: number): string {
  return `ec_22.ec${String(shard).padStart(2, "0")}`;
}

/** What SeaweedFS wrote of the volume, in a folder of its own: opening it is cheap then. */
function unpackShards(): { readonly path: string } & Disposable {
  using whole = unpackFixture();
  const folder = temporaryFolder();
  for (const name of readdirSync(whole.path)) {
    if (name.startsWith("ec_22.")) cpSync(join(whole.path, name), join(folder.path, name));
  }
  return folder;
}

async function expectAll(store: VolumeStore, needles: readonly RecordedNeedle[]): Promise<void> {
  for (const recorded of needles) {
    const { fid, size, md5, name } = recorded;
    const found = await readContent(store, fidOf(recorded));
    expect({ fid, size: found?.size, md5: found?.md5, name: found?.needle.name }).toEqual({
      fid,
      size,
      md5,
      name,
    });
    const data = await store.read(fidOf(recorded));
    expect(data?.length).toBe(size);
  }
}

/** Every way to leave out four of fourteen. */
function* anyFour(): Generator<readonly [number, number, number, number]> {
  for (const a of SHARDS) {
    for (const b of SHARDS.slice(a + 1)) {
      for (const c of SHARDS.slice(b + 1)) for (const d of SHARDS.slice(c + 1)) yield [a, b, c, d];
    }
  }
}

test("the record names needles of the erasure-coded volume", () => {
  expect(NEEDLES.map((needle) => needle.state)).toEqual(Array.from({ length: 5 }, () => "live"));
});

test("every needle of the erasure-coded volume reads, and its status tells what it is", async () => {
  using folder = unpackFixture();
  await using store = await openFixture(folder.path);
  await expectAll(store, NEEDLES);
  const status = (await store.volumes()).find(({ id }) => id === CODED);
  expect(status).toMatchObject({
    collection: "ec",
    state: "read-only",
    version: 3,
    sizeBytes: 106_360,
    liveCount: 5,
    form: { kind: "erasure-coded", dataShards: 10, parityShards: 4, missingShards: [] },
  });
});

test("with any four of the fourteen shards gone every needle reads", async () => {
  using folder = unpackShards();
  const aside = join(folder.path, "aside");
  mkdirSync(aside);
  const [first, second] = NEEDLES;
  if (first === undefined || second === undefined) throw new Error("there are needles");
  let count = 0;
  for (const gone of anyFour()) {
    for (const shard of gone) {
      renameSync(join(folder.path, shardName(shard)), join(aside, shardName(shard)));
    }
    {
      await using store = await openFixture(folder.path);
      // All needles stand in the first block: two that stand apart in each case, all of them in some.
      await expectAll(store, count % 50 === 0 ? NEEDLES : [first, second]);
    }
    for (const shard of gone) {
      renameSync(join(aside, shardName(shard)), join(folder.path, shardName(shard)));
    }
    count++;
  }
  expect(count).toBe(1001);
}, 120_000);

test("with five shards gone the error says what is there", async () => {
  using folder = unpackShards();
  for (const shard of [0, 3, 7, 11, 13]) {
    renameSync(join(folder.path, shardName(shard)), join(folder.path, `away-${shard}`));
  }
  await using store = await openFixture(folder.path);
  const [recorded] = NEEDLES;
  if (recorded === undefined) throw new Error("there are needles");
  let failure: unknown;
  try {
    await store.read(fidOf(recorded));
  } catch (error) {
    failure = error;
  }
  expect(failure).toMatchObject({ code: "too-few-shards" });
  expect(String(failure)).toContain("(1, 2, 4, 5, 6, 8, 9, 10, 12), 10 are needed");
});

test("decoded and encoded again, shards and index are those of SeaweedFS byte for byte", async () => {
  using folder = unpackShards();
  const compared = [...SHARDS.map(shardName), "ec_22.ecx"];
  const read = (name: string) => readFileSync(join(folder.path, name));
  const before = new Map(compared.map((name) => [name, read(name)]));
  const checksumsBefore = read("ec_22.ecsum");
  await using store = await openFixture(folder.path);
  await store.decodeVolume(CODED);
  await expectAll(store, NEEDLES);
  expect(read("ec_22.dat").length).toBe(106_360);
  await store.setWritable(CODED, "read-only");
  await store.encodeVolume(CODED);
  await expectAll(store, NEEDLES);
  for (const [name, bytes] of before)
    expect([name, read(name).equals(bytes)]).toEqual([name, true]);
  // The same to the id of the encoding, which no two have; behind it Kelp adds what guards the index.
  const HEAD_BYTES = 14;
  const ID_BYTES = 16;
  const same = checksumsBefore.subarray(HEAD_BYTES, checksumsBefore.length - ID_BYTES);
  expect(read("ec_22.ecsum").subarray(HEAD_BYTES, HEAD_BYTES + same.length)).toEqual(same);
  const info: unknown = JSON.parse(read("ec_22.vif").toString());
  expect(info).toMatchObject({
    version: 3,
    datFileSize: "106360",
    ecShardConfig: { dataShards: 10, parityShards: 4 },
  });
});

test("a needle is removed from shards that SeaweedFS wrote, and shards that are lost are made anew", async () => {
  using folder = unpackShards();
  const before = new Map(
    [2, 5, 11].map((shard) => [shard, readFileSync(join(folder.path, shardName(shard)))] as const),
  );
  const [removed, ...others] = NEEDLES;
  if (removed === undefined) throw new Error("there are needles");
  for (const shard of before.keys()) {
    renameSync(join(folder.path, shardName(shard)), join(folder.path, `away-${shard}`));
  }
  {
    await using store = await openFixture(folder.path);
    expect(await store.rebuildVolume(CODED)).toEqual([2, 5, 11]);
    expect(await store.removeNeedle(fidOf(removed))).toBe(removed.size);
    expect(await store.scrubVolume(CODED)).toMatchObject({ repaired: [], damaged: [] });
  }
  for (const [shard, bytes] of before) {
    expect(readFileSync(join(folder.path, shardName(shard))).equals(bytes)).toBe(true);
  }
  await using store = await openFixture(folder.path);
  expect(await store.readNeedle(fidOf(removed))).toBeUndefined();
  await expectAll(store, others);
});

test("a sorted index that is lost is made of shards that SeaweedFS wrote, two of them gone, and what was removed stays so", async () => {
  using folder = unpackShards();
  const path = (name: string) => join(folder.path, name);
  const before = readFileSync(path("ec_22.ecx"));
  const [removed, ...others] = NEEDLES;
  if (removed === undefined) throw new Error("there are needles");
  {
    await using store = await openFixture(folder.path);
    await store.removeNeedle(fidOf(removed));
  }
  for (const name of ["ec_22.ecx", shardName(0), shardName(12)]) rmSync(path(name));
  {
    await using store = await openFixture(folder.path);
    expect((await store.volumes()).map(({ state }) => state)).toEqual(["failed"]);
  }
  const deps = { disk: systemDisk, hashes: systemHashes, clock: systemClock, log: silentLog };
  const made = await Array.fromAsync(rebuildIndexes({ ...deps, folders: [folder.path] }));
  expect(made).toMatchObject([{ volumeId: CODED, kind: "rebuilt", result: { damagedCount: 0 } }]);
  expect(readFileSync(path("ec_22.ecx")).equals(before)).toBe(true);
  await using store = await openFixture(folder.path);
  expect(await store.readNeedle(fidOf(removed))).toBeUndefined();
  await expectAll(store, others);
});

test("volumes that SeaweedFS left plain are encoded, lose four shards and still read", async () => {
  using folder = unpackFixture();
  const plain = [1, 5, 7].map(volumeId);
  const needles = recordedNeedles().filter(
    (needle) =>
      needle.state === "live" &&
      needle.kind !== "chunk manifest" &&
      plain.some((id) => id === fidOf(needle).volumeId),
  );
  expect(needles.length).toBeGreaterThan(10);
  {
    await using store = await openFixture(folder.path);
    for (const id of plain) {
      await store.setWritable(id, "read-only");
      await store.encodeVolume(id);
    }
  }
  for (const id of plain) {
    for (const shard of ["00", "04", "09", "12"]) {
      renameSync(join(folder.path, `${id}.ec${shard}`), join(folder.path, `away-${id}-${shard}`));
    }
  }
  await using store = await openFixture(folder.path);
  for (const recorded of needles) {
    const found = await readContent(store, fidOf(recorded));
    expect([recorded.fid, found?.md5]).toEqual([recorded.fid, recorded.md5]);
  }
});
