import { type DiskFile, ErasureCode, SHARD_COUNT_MAX } from "@kelp/base";
import { PLAIN_VOLUME, type VolumeTraits } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { DATA_SHARDS_DEFAULT, PARITY_SHARDS_DEFAULT } from "../limits.ts";
import { readHeader } from "../needle/decode.ts";
import { CHECKSUM_BYTES, DATE_BYTES, HEADER_BYTES } from "../needle/layout.ts";
import type { SealedContent } from "../sealed/sealed-content.ts";
import { SealedVolume } from "../sealed/sealed-volume.ts";
import {
  NEW_SUPERBLOCK,
  SUPERBLOCK_BYTES,
  VERSION,
  type Superblock,
  parseSuperblock,
} from "../superblock/superblock.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import { NO_VOLUME_INFO, type VolumeInfo, readVolumeInfo } from "../volume/volume-info.ts";
import { type BitrotProtection, parseBitrotFile } from "./bitrot-file.ts";
import { openDeletionJournal } from "./deletion-journal.ts";
import { agreedInfo, isSameInfo } from "./companions.ts";
import { ErasureIndex } from "./erasure-index.ts";
import type { FoundErasure, FoundFolder } from "./find-shards.ts";
import {
  type BlockSizes,
  segmentsOf,
  type ErasureLayout,
  FORMAT_BLOCKS,
  layoutOf,
  olderLayoutOf,
  shardBytesOf,
  shardCountOf,
} from "./layout.ts";
import { shardExtension } from "./shard-names.ts";
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

/** What a folder says of the encoding that its shards are of. */
interface Member {
  readonly folder: FoundFolder;
  readonly info: VolumeInfo | undefined;
  readonly protection: BitrotProtection | undefined;
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
  const members = await newestEncoding(deps, found);
  const info = members.find((member) => member.info?.shards !== undefined)?.info;
  const protection = members.find((member) => member.protection !== undefined)?.protection;
  const folders = members.map((member) => member.folder);
  const counts = info?.shards ?? protection ?? DEFAULT_COUNTS;
  const { dataShards, parityShards } = counts;
  if (info?.offsetBytes === 5) throw unsupported(found, "its index has offsets of 5 bytes");
  if (dataShards < 1 || parityShards < 1 || dataShards + parityShards > SHARD_COUNT_MAX) {
    throw unsupported(found, `it has ${dataShards} + ${parityShards} shards`);
  }
  const shape = { dataShards, parityShards };
  const sorted = await openSortedIndex(deps, folders, protection);
  try {
    const shards = await openShards(deps, folders, shape);
    try {
      const layout = await layoutFor({ deps, found, shape, blocks, info, shards, sorted });
      const whole = await withoutMisfits(deps, shards, layout);
      const code = new ErasureCode(shape);
      const path = folders[0]?.base ?? "";
      const file = new ShardSet({
        path,
        layout,
        code,
        shards: whole,
        protection,
        hashes: deps.hashes,
        log: deps.log,
      });
      const index = await withJournal(deps, folders, sorted);
      return await describe(deps, { file, index, code, info: info ?? NO_VOLUME_INFO, folders });
    } catch (error) {
      await Promise.all([...shards.values()].map((shard) => shard.close()));
      throw error;
    }
  } catch (error) {
    await sorted.close();
    throw error;
  }
}

const DEFAULT_COUNTS = { dataShards: DATA_SHARDS_DEFAULT, parityShards: PARITY_SHARDS_DEFAULT };

/** The folders whose files belong together: those of the newest encoding, and those that do not say. */
async function newestEncoding(deps: VolumeDeps, found: FoundErasure): Promise<Member[]> {
  const read = await Promise.all(found.folders.map((folder) => readMember(deps, folder)));
  const members = withAgreedInfo(deps, read);
  let newestNs = 0n;
  for (const { info } of members) {
    const encodedNs = info?.shards?.encodedNs ?? 0n;
    if (encodedNs > newestNs) newestNs = encodedNs;
  }
  const isStale = ({ info }: Member): boolean => {
    const encodedNs = info?.shards?.encodedNs ?? 0n;
    return encodedNs !== 0n && encodedNs !== newestNs;
  };
  for (const member of members) {
    if (!isStale(member)) continue;
    deps.log.warn("shards of an earlier encoding are left alone", {
      volume_id: found.id,
      folder: member.folder.disk.folder,
    });
  }
  return members.filter((member) => !isStale(member));
}

/** What was read of a folder; `failure`: why its information file cannot be used. */
interface ReadMember extends Member {
  readonly failure: VolumeError | undefined;
}

async function readMember(deps: VolumeDeps, folder: FoundFolder): Promise<ReadMember> {
  const read = await readInfo(deps, folder.base);
  if (!folder.hasChecksums) return { folder, ...read, protection: undefined };
  const bytes = await deps.disk.readWhole(`${folder.base}.ecsum`);
  const protection = parseBitrotFile(bytes, deps.hashes);
  if (protection === undefined) {
    deps.log.error("a file of shard checksums is damaged", { path: `${folder.base}.ecsum` });
  }
  return { folder, ...read, protection };
}

async function readInfo(
  deps: VolumeDeps,
  base: string,
): Promise<{ readonly info: VolumeInfo | undefined; readonly failure: VolumeError | undefined }> {
  if (!(await deps.disk.exists(`${base}.vif`))) return { info: undefined, failure: undefined };
  try {
    return { info: await readVolumeInfo(deps.disk, base), failure: undefined };
  } catch (failure) {
    const isDamaged = failure instanceof VolumeError && failure.code === "unsupported-format";
    // Shards of a copy that never finished are no better for information that stands elsewhere.
    if (!isDamaged || (await deps.disk.exists(`${base}.note`))) throw failure;
    return { info: undefined, failure };
  }
}

/**
 * Information files have no checksum, but folders of one encoding, as the checksum files tell, say the same: one that cannot be read,
 * or says something else than most, is damaged, and the others count. Throws what is wrong with a file when there is no other.
 */
function withAgreedInfo(deps: VolumeDeps, read: readonly ReadMember[]): Member[] {
  return read.map((member) => {
    const agreed = agreedInfo(read.filter((other) => isSameEncoding(member, other)));
    const info = agreed ?? member.info;
    const isElsewhere = read.some((other) => other.info !== undefined);
    if (member.failure !== undefined && !isElsewhere) throw member.failure;
    if (
      member.failure !== undefined ||
      (agreed !== undefined && !isSameInfo(agreed, member.info))
    ) {
      const path = `${member.folder.base}.vif`;
      deps.log.error("an information file is damaged, that of another folder is used", { path });
    }
    return { folder: member.folder, info, protection: member.protection };
  });
}

/** A folder whose checksums are damaged counts to those that have some: shards of another encoding do not fit them. */
function isSameEncoding(one: Member, other: Member): boolean {
  if (one === other) return true;
  if (!one.folder.hasChecksums || !other.folder.hasChecksums) return false;
  const [id, otherId] = [one.protection?.encodingId, other.protection?.encodingId];
  if (id === undefined || otherId === undefined) return true;
  return id.length > 0 && Buffer.compare(id, otherId) === 0;
}

/** The first copy of the sorted index that is whole. */
async function openSortedIndex(
  deps: VolumeDeps,
  folders: readonly FoundFolder[],
  protection: BitrotProtection | undefined,
): Promise<SortedIndex> {
  let failure: unknown = new VolumeError(
    "index-corrupt",
    "Cannot open an erasure-coded volume: there is no sorted index",
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

async function openOneIndex(
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

/** The first file of each shard. One that cannot be opened counts as missing. */
async function openShards(
  deps: VolumeDeps,
  folders: readonly FoundFolder[],
  counts: { readonly dataShards: number; readonly parityShards: number },
): Promise<Map<number, DiskFile>> {
  const shards = new Map<number, DiskFile>();
  for (const { base, shards: numbers } of folders) {
    for (const shard of numbers) {
      if (shards.has(shard) || shard >= counts.dataShards + counts.parityShards) continue;
      const path = `${base}${shardExtension(shard)}`;
      try {
        shards.set(shard, await deps.disk.open(path, { access: "read" }));
      } catch (error) {
        deps.log.error("a shard cannot be opened", { path, error });
      }
    }
  }
  return shards;
}

async function layoutFor(source: {
  readonly deps: VolumeDeps;
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
  const largeRows = Math.floor((shardBytes - 1) / blocks.largeBlockBytes);
  const smallRows = Math.ceil(
    (shardBytes - largeRows * blocks.largeBlockBytes) / blocks.smallBlockBytes,
  );
  const fileBytes = Math.max(sorted.endBytes, SUPERBLOCK_BYTES);
  return { ...shape, ...blocks, fileBytes, largeRows, smallRows };
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

/** A shard of another length holds something else; it counts as missing. */
async function withoutMisfits(
  deps: VolumeDeps,
  shards: ReadonlyMap<number, DiskFile>,
  layout: ErasureLayout,
): Promise<Map<number, DiskFile>> {
  const expected = shardBytesOf(layout);
  const fitting = new Map<number, DiskFile>();
  for (const [shard, file] of shards) {
    const sizeBytes = await file.sizeBytes();
    if (sizeBytes === expected && shard < shardCountOf(layout)) {
      fitting.set(shard, file);
      continue;
    }
    deps.log.error("a shard has another length and is not used", {
      path: file.path,
      size_bytes: sizeBytes,
      expected_bytes: expected,
    });
    await file.close();
  }
  return fitting;
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

async function readSuperblock(file: ShardSet): Promise<Superblock | undefined> {
  const head = Buffer.alloc(SUPERBLOCK_BYTES);
  try {
    const count = await file.readAt(head, 0);
    return parseSuperblock(head.subarray(0, count), file.path);
  } catch (error) {
    // Too little is left to make it of: needles that stand in what is left can still be read.
    if (error instanceof VolumeError && error.code === "too-few-shards") return undefined;
    throw error;
  }
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

function unsupported(found: FoundErasure, what: string): VolumeError {
  return new VolumeError(
    "unsupported-format",
    `Cannot open erasure-coded volume ${found.id}: ${what}`,
  );
}

function noShards(found: FoundErasure): VolumeError {
  return new VolumeError(
    "too-few-shards",
    `Cannot open erasure-coded volume ${found.id}: there is no shard`,
  );
}
