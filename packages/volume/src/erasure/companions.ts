import type { Disk } from "@kelp/base";
import type { Damage, VolumeId } from "@kelp/wire";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import type { Checksums } from "../needle/decode.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import type { VolumeInfo } from "../volume/volume-info.ts";
import { type BitrotProtection, parseBitrotFile } from "./bitrot-file.ts";
import { copyFile } from "./copy-file.ts";
import type { FoundFolder } from "./find-shards.ts";

/**
 * What stands beside the shards in every folder that has some: the sorted index (`.ecx`), the checksums (`.ecsum`), the information
 * (`.vif`). Of an encoding that Kelp made all copies of each are the same, so that one makes another good.
 */
export interface DamagedCompanion {
  readonly damage: Damage;
  readonly path: string;
  /** A copy that is whole; `undefined` when there is none, or it cannot be told which one is. */
  readonly source: string | undefined;
}

interface Folders {
  readonly id: VolumeId;
  readonly folders: readonly FoundFolder[];
  readonly protection: BitrotProtection | undefined;
}

/** Reads every copy of each of them. Changes nothing. */
export async function findDamagedCompanions(
  deps: VolumeDeps,
  volume: Folders,
): Promise<readonly DamagedCompanion[]> {
  const index = volume.protection?.index;
  const sums = await findBad(deps.disk, volume, ".ecsum", async (path) => {
    const bytes = await deps.disk.readWhole(path);
    return parseBitrotFile(bytes, deps.hashes) !== undefined;
  });
  // What other programs wrote does not say what these files should be.
  if (index === undefined) return sums;
  const indexes = await findBad(deps.disk, volume, ".ecx", async (path) => {
    const found = await checksumOf(deps.disk, path, deps.hashes);
    return found.checksum === index.checksum && found.sizeBytes === index.sizeBytes;
  });
  return [...sums, ...indexes, ...(await findOddInfos(deps.disk, volume))];
}

/** Puts whole copies in the place of damaged ones, durably. Returns those that were made good. */
export async function mendCompanions(
  disk: Disk,
  found: readonly DamagedCompanion[],
): Promise<ReadonlySet<DamagedCompanion>> {
  const mended = new Set<DamagedCompanion>();
  for (const companion of found) {
    if (companion.source === undefined) continue;
    await copyFile(disk, companion.source, companion.path);
    await disk.syncFolder(companion.path.slice(0, companion.path.lastIndexOf("/")));
    mended.add(companion);
  }
  return mended;
}

/** What most of them say; `undefined` when no two agree. */
export function agreedInfo(
  members: readonly { readonly info: VolumeInfo | undefined }[],
): VolumeInfo | undefined {
  let best: { readonly info: VolumeInfo; readonly count: number } | undefined;
  for (const { info } of members) {
    if (info === undefined) continue;
    const count = members.filter((other) => isSameInfo(info, other.info)).length;
    if (count > (best?.count ?? 0)) best = { info, count };
  }
  if (best === undefined) return undefined;
  const isOnly = members.every(({ info }) => info === undefined || isSameInfo(info, best.info));
  return best.count > 1 || isOnly ? best.info : undefined;
}

export function isSameInfo(one: VolumeInfo, other: VolumeInfo | undefined): boolean {
  return other !== undefined && JSON.stringify(one.raw) === JSON.stringify(other.raw);
}

async function findBad(
  disk: Disk,
  volume: Folders,
  extension: string,
  isWhole: (path: string) => Promise<boolean>,
): Promise<DamagedCompanion[]> {
  const good: string[] = [];
  const bad: string[] = [];
  for (const path of await pathsOf(disk, volume, extension)) {
    ((await isWhole(path)) ? good : bad).push(path);
  }
  return bad.map((path) => describe(volume.id, path, good[0]));
}

/** They have no checksum: one that differs from most is damaged, and without a majority any may be. */
async function findOddInfos(disk: Disk, volume: Folders): Promise<DamagedCompanion[]> {
  const copies = new Map<string, string>();
  for (const path of await pathsOf(disk, volume, ".vif")) {
    copies.set(path, Buffer.from(await disk.readWhole(path)).toString("latin1"));
  }
  const texts = [...copies.values()];
  const countOf = (text: string): number => texts.filter((other) => other === text).length;
  if (new Set(texts).size < 2) return [];
  const source = [...copies].find(([, text]) => 2 * countOf(text) > texts.length);
  return [...copies]
    .filter(([, text]) => text !== source?.[1])
    .map(([path]) => describe(volume.id, path, source?.[0]));
}

async function pathsOf(disk: Disk, { folders }: Folders, extension: string): Promise<string[]> {
  const paths: string[] = [];
  for (const { disk: folder, base } of folders) {
    if (folder.failure !== undefined) continue;
    if (await disk.exists(`${base}${extension}`)) paths.push(`${base}${extension}`);
  }
  return paths;
}

function describe(volumeId: VolumeId, path: string, source: string | undefined): DamagedCompanion {
  const what = path.slice(path.lastIndexOf("/") + 1);
  const reason = "it is not what was written";
  return { damage: { volumeId, what, offsetBytes: 0, reason }, path, source };
}

async function checksumOf(
  disk: Disk,
  path: string,
  hashes: Checksums,
): Promise<{ readonly checksum: number; readonly sizeBytes: number }> {
  await using file = await disk.open(path, { access: "read" });
  const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  let checksum = 0;
  for (let sizeBytes = 0; ;) {
    const count = await file.readAt(buffer, sizeBytes);
    if (count === 0) return { checksum, sizeBytes };
    checksum = hashes.crc32c(buffer.subarray(0, count), checksum);
    sizeBytes += count;
  }
}
