import { type DiskFile, ErasureCode } from "@kelp/base";
import { PLAIN_VOLUME, type VolumeTraits } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { readHeader } from "../needle/decode.ts";
import { CHECKSUM_BYTES, DATE_BYTES, HEADER_BYTES } from "../needle/layout.ts";
import type { SealedContent } from "../sealed/sealed-content.ts";
import { SealedVolume } from "../sealed/sealed-volume.ts";
import {
  NEW_SUPERBLOCK,
  SUPERBLOCK_BYTES,
  type Superblock,
  VERSION,
} from "../superblock/superblock.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import { NO_VOLUME_INFO, type VolumeInfo } from "../volume/volume-info.ts";
import type { BitrotProtection } from "./bitrot-file.ts";
import { openDeletionJournal } from "./deletion-journal.ts";
import { type Encoding, openShardSet, readEncoding, readSuperblock } from "./encoding.ts";
import { ErasureIndex } from "./erasure-index.ts";
import type { FoundErasure, FoundFolder } from "./find-shards.ts";
import {
  type BlockSizes,
  type ErasureLayout,
  FORMAT_BLOCKS,
  layoutOf,
  layoutOfShards,
  olderLayoutOf,
  segmentsOf,
} from "./layout.ts";
import { ShardSet } from "./shard-set.ts";
import { SortedIndex } from "./sorted-index.ts";

/** An erasure-coded volume as it is served, with what jobs need of it. */
export interface ErasureContent extends SealedContent {
  readonly file: ShardSet;
  readonly index: ErasureIndex;
  readonly code: ErasureCode;
  readonly info: VolumeInfo;
  /** Folders that take part; the first one is where the volume would be put together. */
  readonly folders: readonly FoundFolder[];
}

/**
 * Opens an erasure-coded volume from whatever is left of it. Folders whose files are of an earlier encoding are left alone.
 * Throws `too-few-shards` when there is not even one shard, `index-corrupt`, `unsupported-format`, or `DiskError`.
 */
export async function openErasure(
  deps: VolumeDeps,
  found: FoundErasure,
  blocks: BlockSizes = FORMAT_BLOCKS,
): Promise<SealedVolume> {
  const content = await openContent(deps, found, blocks);
  const { id, collection } = found;
  return new SealedVolume({ id, collection, content, clock: deps.clock, hashes: deps.hashes });
}

/** The content of a volume that `openErasure` made; `undefined` of any other. */
export function erasureContentOf(volume: unknown): ErasureContent | undefined {
  if (!(volume instanceof SealedVolume)) return undefined;
  const { content } = volume;
  return isErasureContent(content) ? content : undefined;
}

function isErasureContent(content: SealedContent): content is ErasureContent {
  return content.file instanceof ShardSet;
}

async function openContent(
  deps: VolumeDeps,
  found: FoundErasure,
  blocks: BlockSizes,
): Promise<ErasureContent> {
  const encoding = await readEncoding(deps, found);
  const { folders, info, shape } = encoding;
  const sorted = await openSortedIndex(deps, encoding);
  try {
    const file = await openShardSet(deps, encoding, (shards) =>
      layoutFor({ found, shape, blocks, info, shards, sorted }),
    );
    try {
      const index = await withJournal(deps, folders, sorted);
      const code = new ErasureCode(shape);
      return await describe(deps, { file, index, code, info: info ?? NO_VOLUME_INFO, folders });
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (error) {
    await sorted.close();
    throw error;
  }
}

/** The first copy of the sorted index that is whole. Throws `index-corrupt` when there is none. */
export async function openSortedIndex(
  deps: VolumeDeps,
  { folders, protection }: Pick<Encoding, "folders" | "protection">,
): Promise<SortedIndex> {
  let failure: unknown = new VolumeError(
    "index-corrupt",
    "Cannot open an erasure-coded volume: there is no sorted index (kelp fsck --rebuild-index makes it of the shards)",
  );
  for (const { base, hasIndex } of folders) {
    if (!hasIndex) continue;
    try {
      return await openOneIndex(deps, `${base}.ecx`, protection?.index);
    } catch (error) {
      failure = error;
      deps.log.error("a sorted index cannot be used", { path: `${base}.ecx`, error });
    }
  }
  throw failure;
}

/** Throws `index-corrupt` when it is not whole, or not the one that is expected. */
export async function openOneIndex(
  deps: VolumeDeps,
  path: string,
  expected: BitrotProtection["index"],
): Promise<SortedIndex> {
  const file = await deps.disk.open(path, { access: "read" });
  try {
    const sorted = await SortedIndex.open(file, deps.hashes);
    const isExpected =
      expected === undefined ||
      (sorted.checksum === expected.checksum && sorted.sizeBytes === expected.sizeBytes);
    if (isExpected) return sorted;
    throw new VolumeError(
      "index-corrupt",
      `Cannot use the sorted index ${path}: its checksum does not fit`,
    );
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function layoutFor(source: {
  readonly found: FoundErasure;
  readonly shape: { readonly dataShards: number; readonly parityShards: number };
  readonly blocks: BlockSizes;
  readonly info: VolumeInfo | undefined;
  readonly shards: ReadonlyMap<number, DiskFile>;
  readonly sorted: SortedIndex;
}): Promise<ErasureLayout> {
  const { shape, blocks, sorted } = source;
  const known = source.info?.dataFileBytes ?? 0;
  if (known > 0) {
    const layout = layoutOf(shape, known, blocks);
    return (await usesOlderRows(source.shards, sorted, layout)) ?? layout;
  }
  // Older files do not say how long the volume file was: it ends with its last needle, or later in the last row.
  const lengths = await Promise.all([...source.shards.values()].map((file) => file.sizeBytes()));
  const shardBytes = Math.max(0, ...lengths);
  if (shardBytes === 0) throw noShards(source.found);
  const fileBytes = Math.max(sorted.endBytes, SUPERBLOCK_BYTES);
  return layoutOfShards(shape, shardBytes, blocks, fileBytes);
}

/** Looks where the last needle stands, when the size of the file leaves a doubt. */
async function usesOlderRows(
  shards: ReadonlyMap<number, DiskFile>,
  sorted: SortedIndex,
  layout: ErasureLayout,
): Promise<ErasureLayout | undefined> {
  const older = olderLayoutOf(layout);
  if (older === undefined) return undefined;
  for await (const entry of sorted.entries()) {
    const places = [layout, older].map((each) => segmentStart(each, entry.offsetBytes));
    const [now, before] = places;
    if (now === undefined || before === undefined) continue;
    if (now.shard === before.shard && now.offsetBytes === before.offsetBytes) continue;
    const file = shards.get(before.shard);
    if (file === undefined) continue;
    const head = Buffer.alloc(HEADER_BYTES);
    await file.readAt(head, before.offsetBytes);
    const { idHigh, idLow, bodyBytes } = readHeader(head, 0);
    const isThere =
      idHigh === entry.idHigh && idLow === entry.idLow && bodyBytes === entry.bodyBytes;
    return isThere ? older : undefined;
  }
  return undefined;
}

async function withJournal(
  deps: VolumeDeps,
  folders: readonly FoundFolder[],
  sorted: SortedIndex,
): Promise<ErasureIndex> {
  const paths = folders.map(({ base }) => `${base}.ecj`);
  const { journal, entries } = await openDeletionJournal(deps, paths);
  for (const { idHigh, idLow } of entries) sorted.mask(idHigh, idLow);
  return new ErasureIndex(sorted, journal);
}

async function describe(
  deps: VolumeDeps,
  opened: Pick<ErasureContent, "file" | "index" | "code" | "info" | "folders">,
): Promise<ErasureContent> {
  const { file, info, folders, code } = opened;
  const superblock = await readSuperblock(file);
  const [home] = folders;
  const encodedMs = Number((info.shards?.encodedNs ?? 0n) / 1_000_000n);
  const firstMs = await firstDateMs(file, superblock);
  const fixed: Omit<VolumeTraits, "form"> = {
    ...PLAIN_VOLUME,
    ...traitsOf(superblock, info),
    disk: home?.disk.index ?? 0,
    diskType: home?.disk.diskType ?? "",
  };
  return {
    ...opened,
    version: superblock?.version ?? VERSION,
    traits: () => ({
      ...fixed,
      form: {
        kind: "erasure-coded",
        dataShards: code.dataShards,
        parityShards: code.parityShards,
        missingShards: file.missingShards,
      },
    }),
    get isComplete() {
      return file.missingShards.length <= code.parityShards;
    },
    createdMs: firstMs ?? (encodedMs > 0 ? encodedMs : deps.clock.nowMs()),
    // The date of the first needle would be no substitute: by it a volume with a TTL goes too soon.
    modifiedMs: encodedMs,
  };
}

async function firstDateMs(
  file: ShardSet,
  superblock: Superblock | undefined,
): Promise<number | undefined> {
  if (superblock === undefined) return undefined;
  const start = SUPERBLOCK_BYTES + superblock.extraBytes;
  const head = Buffer.alloc(HEADER_BYTES);
  const date = Buffer.alloc(DATE_BYTES);
  try {
    if ((await file.readAt(head, start)) < HEADER_BYTES) return undefined;
    const { bodyBytes } = readHeader(head, 0);
    if (bodyBytes < 0) return undefined;
    const at = start + HEADER_BYTES + bodyBytes + CHECKSUM_BYTES;
    if ((await file.readAt(date, at)) < DATE_BYTES) return undefined;
    return Number(date.readBigUInt64BE(0) / 1_000_000n);
  } catch (error) {
    if (error instanceof VolumeError) return undefined;
    throw error;
  }
}

function traitsOf(
  superblock: Superblock | undefined,
  info: VolumeInfo,
): Pick<VolumeTraits, "version" | "replicaPlacement" | "ttl" | "compactionRevision"> {
  const { version, ttl, compactionRevision, replicaPlacement } = superblock ?? NEW_SUPERBLOCK;
  return {
    version,
    ttl,
    compactionRevision,
    replicaPlacement: info.replicaPlacement ?? replicaPlacement,
  };
}

function segmentStart(layout: ErasureLayout, offset: number) {
  return segmentsOf(layout, offset, 1)[0];
}

function noShards(found: FoundErasure): VolumeError {
  return new VolumeError(
    "too-few-shards",
    `Cannot open erasure-coded volume ${found.id}: there is no shard`,
  );
}
