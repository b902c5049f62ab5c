import { expect, test } from "bun:test";
import { join } from "node:path";
import { must } from "@kelp/base";
import { systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type Fid, formatFid, needleId, volumeId } from "@kelp/wire";
import { BackupWorld, codeOf, noise, otherVolume, write } from "../testing/index.ts";
import { encodeChecked } from "./checked-text.ts";
import { FolderTarget } from "./folder-target.ts";
import type { LooseNeedle } from "./loose-needle.ts";
import { readPackIndex } from "./pack.ts";

const SEVEN = volumeId(7);
const EIGHT = volumeId(8);
const GIB = 1024 ** 3;

function fid(id: number, volume = SEVEN): Fid {
  return { volumeId: volume, needleId: needleId(BigInt(id)), cookie: 0xc0ffee00 + id };
}

const PLAIN: LooseNeedle = { data: noise(5000), appendedNs: 1_700_000_000_000_000_001n };
const FULL: LooseNeedle = {
  data: noise(70),
  name: "größe.txt",
  mediaType: "text/plain",
  lastModifiedSec: 1_700_000_000,
  ttl: { count: 3, unit: "day" },
  pairs: { Owner: "ada" },
  isGzip: true,
  isChunkManifest: true,
  appendedNs: 1_700_000_000_000_000_002n,
};

async function rig(): Promise<{
  readonly source: BackupWorld;
  readonly target: FolderTarget;
  [Symbol.dispose](): void;
}> {
  const folder = temporaryFolder();
  const other = temporaryFolder();
  const source = new BackupWorld(folder.path);
  await source.start();
  source.otherVolumes.push(otherVolume(SEVEN), otherVolume(EIGHT, "pictures"));
  source.loose.set(formatFid(fid(1)), PLAIN);
  source.loose.set(formatFid(fid(2, EIGHT)), FULL);
  return {
    source,
    target: new FolderTarget(systemDisk, join(other.path, "target")),
    [Symbol.dispose]() {
      source[Symbol.dispose]();
      other[Symbol.dispose]();
    },
  };
}

function contentOf({ appendedNs: _date, ...content }: LooseNeedle): unknown {
  return { ...content, data: new Uint8Array(content.data) };
}

test("needles that no entry names come back with their addresses, fields and volumes", async () => {
  using it = await rig();
  await write(it.source.world, "entry", noise(50_000));
  const { manifest, copiedNeedles } = await it.source.backUp(it.target);
  expect([manifest.format, manifest.looseNeedles?.count, copiedNeedles]).toEqual([2, 2, 2]);
  await it.source.verify(it.target);
  using restored = await it.source.restore(it.target);
  expect([...restored.made.written]).toEqual([
    [formatFid(fid(1)), contentOf(PLAIN) as never],
    [formatFid(fid(2, EIGHT)), contentOf(FULL) as never],
  ]);
  expect(restored.made.created.get(SEVEN)?.collection).toBe("");
  expect(restored.made.created.get(EIGHT)?.collection).toBe("pictures");
  expect([...restored.made.created.values()].some(({ isLarge }) => isLarge === true)).toBe(false);
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
});

test("a volume in which more lives than fits in one of narrow offsets is made with wide ones", async () => {
  using it = await rig();
  const [seven, eight] = it.source.otherVolumes.splice(0);
  it.source.otherVolumes.push(
    { ...must(seven), liveBytes: 30 * GIB },
    { ...must(eight), liveBytes: 30 * GIB + 1 },
  );
  await it.source.backUp(it.target);
  using restored = await it.source.restore(it.target);
  expect(restored.made.created.get(EIGHT)?.isLarge).toBe(true);
  expect(restored.made.created.get(SEVEN)?.isLarge).toBeUndefined();
});

test("the next backup copies what is new or another, and keeps each backup's own state", async () => {
  using it = await rig();
  const first = await it.source.backUp(it.target);
  expect((await it.source.backUp(it.target)).copiedNeedles).toBe(0);
  const replaced = { ...PLAIN, data: noise(4999), appendedNs: PLAIN.appendedNs + 9n };
  it.source.loose.set(formatFid(fid(1)), replaced);
  it.source.loose.delete(formatFid(fid(2, EIGHT)));
  it.source.loose.set(formatFid(fid(3)), PLAIN);
  expect((await it.source.backUp(it.target)).copiedNeedles).toBe(2);
  await it.source.verify(it.target, first.manifest.id);
  await it.source.verify(it.target);
  using old = await it.source.restore(it.target, first.manifest.id);
  expect([...old.made.written.keys()]).toEqual([formatFid(fid(1)), formatFid(fid(2, EIGHT))]);
  using newest = await it.source.restore(it.target);
  expect(newest.made.written.get(formatFid(fid(1)))?.data.length).toBe(4999);
  expect([...newest.made.written.keys()].toSorted()).toEqual([
    formatFid(fid(1)),
    formatFid(fid(3)),
  ]);
});

test("one that is removed while a backup runs is left out, one that is replaced is in it as it is now", async () => {
  using it = await rig();
  const replaced = { ...PLAIN, data: noise(10), appendedNs: PLAIN.appendedNs + 9n };
  it.source.beforeRead = () => {
    it.source.loose.set(formatFid(fid(1)), replaced);
    it.source.loose.delete(formatFid(fid(2, EIGHT)));
  };
  const { manifest } = await it.source.backUp(it.target);
  expect(manifest.looseNeedles).toMatchObject({ count: 1, damagedCount: 0 });
  await it.source.verify(it.target);
  using restored = await it.source.restore(it.target);
  expect([...restored.made.written]).toEqual([[formatFid(fid(1)), contentOf(replaced) as never]]);
});

test("damaged needles and volumes are named, and keep nothing else from being saved", async () => {
  using it = await rig();
  it.source.loose.set(formatFid(fid(3)), "corrupt");
  it.source.unreadable.add(EIGHT);
  const { manifest } = await it.source.backUp(it.target);
  expect(manifest.looseNeedles).toMatchObject({ count: 2, damagedCount: 2 });
  expect(manifest.damaged).toEqual([
    { fid: formatFid(fid(3)), reason: "checksum" },
    { fid: "volume 8", reason: "volume-failed" },
  ]);
  expect(manifest.damagedCount).toBe(0);
  await it.source.verify(it.target);
  using restored = await it.source.restore(it.target);
  expect(restored.made.written.size).toBe(2);
});

test("what is left over in the filer's own volumes, and what an entry or garbage names, is no loose needle", async () => {
  using it = await rig();
  it.source.loose.clear();
  const { collection } = it.source.world.volumes;
  await write(it.source.world, "entry", noise(50_000));
  const own = it.source.world.volumes.collection;
  expect(own).not.toBe(collection);
  it.source.otherVolumes.push(otherVolume(volumeId(9), own));
  it.source.loose.set(formatFid(fid(4, volumeId(9))), PLAIN);
  // A volume that the first versions shared with clients: the filer's chunks are in volume 1 here.
  it.source.otherVolumes.push(otherVolume(volumeId(1)));
  for (const name of ["entry", "freed"]) {
    const entry = await write(it.source.world, name, noise(60_000));
    const chunk = must(entry.content.kind === "chunks" ? entry.content.chunks[0] : undefined);
    it.source.loose.set(formatFid(chunk.fid), PLAIN);
  }
  await write(it.source.world, "freed", noise(9));
  const { manifest } = await it.source.backUp(it.target);
  expect([manifest.format, manifest.looseNeedles]).toEqual([1, undefined]);
  using restored = await it.source.restore(it.target);
  expect(restored.made.written.size).toBe(0);
});

test("a needle that is missing, or stands for another, is found", async () => {
  using it = await rig();
  const { manifest } = await it.source.backUp(it.target);
  const name = `backups/${manifest.id}.json`;
  const forged = { ...manifest, looseNeedles: { ...manifest.looseNeedles, count: 3 } };
  await it.target.write(name, encodeChecked(forged, systemHashes));
  expect(await codeOf(it.source.verify(it.target))).toBe("backup-damaged");
  expect(await codeOf(it.source.restore(it.target))).toBe("backup-damaged");
  await it.target.write(name, encodeChecked(manifest, systemHashes));
  const [id = ""] = manifest.packs;
  const index = await readPackIndex(it.target, id, systemHashes);
  const keys = index.blobs.map(({ key }) => key).filter((key) => key.startsWith("needle "));
  const [one, two] = keys;
  const rename = async (renamed: ReadonlyMap<string, string>): Promise<void> => {
    const blobs = index.blobs.map((blob) => ({ ...blob, key: renamed.get(blob.key) ?? blob.key }));
    await it.target.write(`packs/${id}.json`, encodeChecked({ ...index, blobs }, systemHashes));
  };
  await rename(new Map([[must(one), "needle lost"]]));
  expect(await codeOf(it.source.verify(it.target))).toBe("backup-damaged");
  expect(await codeOf(it.source.restore(it.target))).toBe("backup-damaged");
  await rename(
    new Map([
      [must(one), must(two)],
      [must(two), must(one)],
    ]),
  );
  expect(await codeOf(it.source.restore(it.target))).toBe("backup-damaged");
  await rename(new Map());
  await it.source.verify(it.target);
});
