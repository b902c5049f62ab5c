import { expect, test } from "bun:test";
import { must } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { type Fid, formatFid, needleId, volumeId } from "@kelp/wire";
import { type BackupRig, openBackupRig } from "../testing/backup-rig.ts";
import { codeOf, noise, otherVolume, write } from "../testing/index.ts";
import { encodeChecked } from "./checked-text.ts";
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

/** With a plain needle in one volume, and one that has every field in another. */
async function openLooseRig(): Promise<BackupRig> {
  const rig = await openBackupRig();
  rig.source.otherVolumes.push(otherVolume(SEVEN), otherVolume(EIGHT, "pictures"));
  rig.source.loose.set(formatFid(fid(1)), PLAIN);
  rig.source.loose.set(formatFid(fid(2, EIGHT)), FULL);
  return rig;
}

function contentOf({ appendedNs: _date, ...content }: LooseNeedle): unknown {
  return { ...content, data: new Uint8Array(content.data) };
}

test("needles that no entry names come back with their addresses, fields and volumes", async () => {
  using rig = await openLooseRig();
  await write(rig.source.world, "entry", noise(50_000));
  const { manifest, copiedNeedles } = await rig.source.backUp(rig.target);
  expect([manifest.format, manifest.looseNeedles?.count, copiedNeedles]).toEqual([2, 2, 2]);
  await rig.source.verify(rig.target);
  using restored = await rig.source.restore(rig.target);
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
  using rig = await openLooseRig();
  const [seven, eight] = rig.source.otherVolumes.splice(0);
  rig.source.otherVolumes.push(
    { ...must(seven), liveBytes: 30 * GIB },
    { ...must(eight), liveBytes: 30 * GIB + 1 },
  );
  await rig.source.backUp(rig.target);
  using restored = await rig.source.restore(rig.target);
  expect(restored.made.created.get(EIGHT)?.isLarge).toBe(true);
  expect(restored.made.created.get(SEVEN)?.isLarge).toBeUndefined();
});

test("the next backup copies what is new or another, and keeps each backup's own state", async () => {
  using rig = await openLooseRig();
  const first = await rig.source.backUp(rig.target);
  expect((await rig.source.backUp(rig.target)).copiedNeedles).toBe(0);
  const replaced = { ...PLAIN, data: noise(4999), appendedNs: PLAIN.appendedNs + 9n };
  rig.source.loose.set(formatFid(fid(1)), replaced);
  rig.source.loose.delete(formatFid(fid(2, EIGHT)));
  rig.source.loose.set(formatFid(fid(3)), PLAIN);
  expect((await rig.source.backUp(rig.target)).copiedNeedles).toBe(2);
  await rig.source.verify(rig.target, first.manifest.id);
  await rig.source.verify(rig.target);
  using old = await rig.source.restore(rig.target, first.manifest.id);
  expect([...old.made.written.keys()]).toEqual([formatFid(fid(1)), formatFid(fid(2, EIGHT))]);
  using newest = await rig.source.restore(rig.target);
  expect(newest.made.written.get(formatFid(fid(1)))?.data.length).toBe(4999);
  expect([...newest.made.written.keys()].toSorted()).toEqual([
    formatFid(fid(1)),
    formatFid(fid(3)),
  ]);
});

test("one that is removed while a backup runs is left out, one that is replaced is in it as it is now", async () => {
  using rig = await openLooseRig();
  const replaced = { ...PLAIN, data: noise(10), appendedNs: PLAIN.appendedNs + 9n };
  rig.source.beforeRead = () => {
    rig.source.loose.set(formatFid(fid(1)), replaced);
    rig.source.loose.delete(formatFid(fid(2, EIGHT)));
  };
  const { manifest } = await rig.source.backUp(rig.target);
  expect(manifest.looseNeedles).toMatchObject({ count: 1, damagedCount: 0 });
  await rig.source.verify(rig.target);
  using restored = await rig.source.restore(rig.target);
  expect([...restored.made.written]).toEqual([[formatFid(fid(1)), contentOf(replaced) as never]]);
});

test("damaged needles and volumes are named, and keep nothing else from being saved", async () => {
  using rig = await openLooseRig();
  rig.source.loose.set(formatFid(fid(3)), "corrupt");
  rig.source.unreadable.add(EIGHT);
  const { manifest } = await rig.source.backUp(rig.target);
  expect(manifest.looseNeedles).toMatchObject({ count: 2, damagedCount: 2 });
  expect(manifest.damaged).toEqual([
    { fid: formatFid(fid(3)), reason: "checksum" },
    { fid: "volume 8", reason: "volume-failed" },
  ]);
  expect(manifest.damagedCount).toBe(0);
  await rig.source.verify(rig.target);
  using restored = await rig.source.restore(rig.target);
  expect(restored.made.written.size).toBe(2);
});

test("what is left over in the filer's own volumes, and what an entry or garbage names, is no loose needle", async () => {
  using rig = await openLooseRig();
  rig.source.loose.clear();
  const { collection } = rig.source.world.volumes;
  await write(rig.source.world, "entry", noise(50_000));
  const own = rig.source.world.volumes.collection;
  expect(own).not.toBe(collection);
  rig.source.otherVolumes.push(otherVolume(volumeId(9), own));
  rig.source.loose.set(formatFid(fid(4, volumeId(9))), PLAIN);
  // A volume that the first versions shared with clients: the filer's chunks are in volume 1 here.
  rig.source.otherVolumes.push(otherVolume(volumeId(1)));
  for (const name of ["entry", "freed"]) {
    const entry = await write(rig.source.world, name, noise(60_000));
    const chunk = must(entry.content.kind === "chunks" ? entry.content.chunks[0] : undefined);
    rig.source.loose.set(formatFid(chunk.fid), PLAIN);
  }
  await write(rig.source.world, "freed", noise(9));
  const { manifest } = await rig.source.backUp(rig.target);
  expect([manifest.format, manifest.looseNeedles]).toEqual([1, undefined]);
  using restored = await rig.source.restore(rig.target);
  expect(restored.made.written.size).toBe(0);
});

test("a needle that is missing, or stands for another, is found", async () => {
  using rig = await openLooseRig();
  const { manifest } = await rig.source.backUp(rig.target);
  const name = `backups/${manifest.id}.json`;
  const forged = { ...manifest, looseNeedles: { ...manifest.looseNeedles, count: 3 } };
  await rig.target.write(name, encodeChecked(forged, systemHashes));
  expect(await codeOf(rig.source.verify(rig.target))).toBe("backup-damaged");
  expect(await codeOf(rig.source.restore(rig.target))).toBe("backup-damaged");
  await rig.target.write(name, encodeChecked(manifest, systemHashes));
  const [id = ""] = manifest.packs;
  const index = await readPackIndex(rig.target, id, systemHashes);
  const keys = index.blobs.map(({ key }) => key).filter((key) => key.startsWith("needle "));
  const [one, two] = keys;
  const rename = async (renamed: ReadonlyMap<string, string>): Promise<void> => {
    const blobs = index.blobs.map((blob) => ({ ...blob, key: renamed.get(blob.key) ?? blob.key }));
    await rig.target.write(`packs/${id}.json`, encodeChecked({ ...index, blobs }, systemHashes));
  };
  await rename(new Map([[must(one), "needle lost"]]));
  expect(await codeOf(rig.source.verify(rig.target))).toBe("backup-damaged");
  expect(await codeOf(rig.source.restore(rig.target))).toBe("backup-damaged");
  await rename(
    new Map([
      [must(one), must(two)],
      [must(two), must(one)],
    ]),
  );
  expect(await codeOf(rig.source.restore(rig.target))).toBe("backup-damaged");
  await rename(new Map());
  await rig.source.verify(rig.target);
});
