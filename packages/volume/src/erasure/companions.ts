import { type Disk, type DiskFile, unreachable } from "@kelp/base";
import type { Damage, VolumeId } from "@kelp/wire";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import type { Checksums } from "../needle/decode.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import type { VolumeInfo } from "../volume/volume-info.ts";
import { type BitrotProtection, encodeBitrotFile, parseBitrotFile } from "./bitrot-file.ts";
import { copyFile, copyOpenFile } from "./copy-file.ts";
import type { FoundFolder } from "./find-shards.ts";
import type { SortedIndex } from "./sorted-index.ts";

/**
 * What stands beside the shards in every folder that has some: the sorted index (`.ecx`), the checksums (`.ecsum`), the information
 * (`.vif`). Of an encoding that Kelp made all copies of each are the same, so that one makes another good.
 */
export interface DamagedCompanion {
  readonly damage: Damage;
  readonly path: string;
  /** Where it can be had from; `undefined`: from nowhere, or it cannot be told which copy is whole. */
  readonly source: CompanionSource | undefined;
}

/** A whole copy, or what the open volume knows. */
type CompanionSource =
  | { readonly kind: "copy"; readonly path: string }
  | { readonly kind: "open-index"; readonly index: SortedIndex }
  | { readonly kind: "known-bytes"; readonly bytes: Uint8Array };

/** A volume whose files beside the shards are looked at. */
export interface Companionable {
  readonly id: VolumeId;
  /** Those with shards are to have every one of the files. */
  readonly folders: readonly FoundFolder[];
  readonly protection: BitrotProtection | undefined;
  /** Of the open volume. */
  readonly sorted: SortedIndex;
}

/** Reads every copy of each of them. Changes nothing. */
export async function findDamagedCompanions(
  deps: VolumeDeps,
  volume: Companionable,
): Promise<readonly DamagedCompanion[]> {
  const { protection, sorted } = volume;
  const index = protection?.index;
  const sums = await findBad(deps.disk, volume, {
    extension: ".ecsum",
    isWhole: async (path) => {
      const bytes = await deps.disk.readWhole(path);
      return parseBitrotFile(bytes, deps.hashes) !== undefined;
    },
    known:
      index === undefined || protection === undefined
        ? undefined
        : async () => ({
            kind: "known-bytes",
            bytes: encodeBitrotFile(protection, deps.hashes),
          }),
  });
  // What other programs wrote does not say what these files should be.
  if (index === undefined) return sums;
  const isWholeIndex = async (file: Pick<DiskFile, "readAt">): Promise<boolean> => {
    const found = await checksumOf(file, deps.hashes);
    return found.checksum === index.checksum && found.sizeBytes === index.sizeBytes;
  };
  const indexes = await findBad(deps.disk, volume, {
    extension: ".ecx",
    isWhole: async (path) => {
      await using file = await deps.disk.open(path, { access: "read" });
      return await isWholeIndex(file);
    },
    // The file that is open outlives its name, but may be damaged as well.
    known: async () =>
      (await isWholeIndex(sorted.file)) ? { kind: "open-index", index: sorted } : undefined,
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
    await write(disk, companion.source, companion.path);
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

async function write(disk: Disk, source: CompanionSource, path: string): Promise<void> {
  switch (source.kind) {
    case "copy":
      return copyFile(disk, source.path, path);
    case "open-index":
      return copyOpenFile(disk, source.index.file, path);
    case "known-bytes":
      return disk.writeWhole(path, source.bytes);
    default:
      return unreachable(source);
  }
}

/** `known`: where it is had from when no copy is whole. Without it one that is missing was perhaps never there. */
async function findBad(
  disk: Disk,
  volume: Companionable,
  kind: {
    readonly extension: string;
    readonly isWhole: (path: string) => Promise<boolean>;
    readonly known: (() => Promise<CompanionSource | undefined>) | undefined;
  },
): Promise<DamagedCompanion[]> {
  const { extension, isWhole, known } = kind;
  const paths = await pathsOf(disk, volume, extension);
  const good: string[] = [];
  const bad: string[] = [];
  for (const path of paths) ((await isWhole(path)) ? good : bad).push(path);
  const missing = known === undefined ? [] : missingPaths(volume, extension, paths);
  if (bad.length === 0 && missing.length === 0) return [];
  const source: CompanionSource | undefined =
    good[0] === undefined ? await known?.() : { kind: "copy", path: good[0] };
  return [
    ...bad.map((path) => describe(volume.id, path, { source, reason: ALTERED })),
    ...missing.map((path) => describe(volume.id, path, { source, reason: MISSING })),
  ];
}

function missingPaths(
  { folders }: Companionable,
  extension: string,
  paths: readonly string[],
): readonly string[] {
  return folders
    .filter(({ disk: { failure }, shards }) => failure === undefined && shards.length > 0)
    .map(({ base }) => `${base}${extension}`)
    .filter((path) => !paths.includes(path));
}

/** They have no checksum: one that differs from most is damaged, and without a majority any may be. */
async function findOddInfos(disk: Disk, volume: Companionable): Promise<DamagedCompanion[]> {
  const copies = new Map<string, string>();
  for (const path of await pathsOf(disk, volume, ".vif")) {
    copies.set(path, Buffer.from(await disk.readWhole(path)).toString("latin1"));
  }
  const texts = [...copies.values()];
  const countOf = (text: string): number => texts.filter((other) => other === text).length;
  const found = [...copies].find(([, text]) => 2 * countOf(text) > texts.length);
  const source: CompanionSource | undefined = found && { kind: "copy", path: found[0] };
  const odd = new Set(texts).size < 2 ? [] : [...copies].filter(([, text]) => text !== found?.[1]);
  const missing = copies.size === 0 ? [] : missingPaths(volume, ".vif", [...copies.keys()]);
  return [
    ...odd.map(([path]) => describe(volume.id, path, { source, reason: ALTERED })),
    ...missing.map((path) => describe(volume.id, path, { source, reason: MISSING })),
  ];
}

const ALTERED = "it is not what was written";
const MISSING = "it is missing";

async function pathsOf(
  disk: Disk,
  { folders }: Companionable,
  extension: string,
): Promise<string[]> {
  const paths: string[] = [];
  for (const { disk: folder, base } of folders) {
    if (folder.failure !== undefined) continue;
    if (await disk.exists(`${base}${extension}`)) paths.push(`${base}${extension}`);
  }
  return paths;
}

function describe(
  volumeId: VolumeId,
  path: string,
  { source, reason }: Pick<DamagedCompanion, "source"> & { readonly reason: string },
): DamagedCompanion {
  const what = path.slice(path.lastIndexOf("/") + 1);
  return { damage: { volumeId, what, offsetBytes: 0, reason }, path, source };
}

async function checksumOf(
  file: Pick<DiskFile, "readAt">,
  hashes: Checksums,
): Promise<{ readonly checksum: number; readonly sizeBytes: number }> {
  const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  let checksum = 0;
  for (let sizeBytes = 0; ;) {
    const count = await file.readAt(buffer, sizeBytes);
    if (count === 0) return { checksum, sizeBytes };
    checksum = hashes.crc32c(buffer.subarray(0, count), checksum);
    sizeBytes += count;
  }
}
