import { type DiskFile, ErasureCode, SHARD_COUNT_MAX } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import { DATA_SHARDS_DEFAULT, PARITY_SHARDS_DEFAULT, VOLUME_FILE_BYTES_MAX } from "../limits.ts";
import { SUPERBLOCK_BYTES, type Superblock, parseSuperblock } from "../superblock/superblock.ts";
import { type VolumeDeps, unreachableBytes } from "../volume/open-files.ts";
import { type VolumeInfo, readVolumeInfo } from "../volume/volume-info.ts";
import { type BitrotProtection, parseBitrotFile } from "./bitrot-file.ts";
import { agreedInfo, isSameInfo } from "./companions.ts";
import type { FoundErasure, FoundFolder } from "./find-shards.ts";
import { type ErasureLayout, type ShardCounts, shardBytesOf, shardCountOf } from "./layout.ts";
import { shardExtension } from "./shard-names.ts";
import { ShardSet } from "./shard-set.ts";

/** What the folders that take part say together of an erasure-coded volume. */
export interface Encoding {
  readonly folders: readonly FoundFolder[];
  readonly shape: ShardCounts;
  readonly info: VolumeInfo | undefined;
  readonly protection: BitrotProtection | undefined;
}

/** What a folder says of the encoding that its shards are of. */
interface Member {
  readonly folder: FoundFolder;
  readonly info: VolumeInfo | undefined;
  readonly protection: BitrotProtection | undefined;
}

/** Folders whose files are of an earlier encoding are left alone. Throws `unsupported-format`, or `DiskError`. */
export async function readEncoding(deps: VolumeDeps, found: FoundErasure): Promise<Encoding> {
  const members = await newestEncoding(deps, found);
  const info = members.find((member) => member.info?.shards !== undefined)?.info;
  const protection = members.find((member) => member.protection !== undefined)?.protection;
  const folders = members.map((member) => member.folder);
  const { dataShards, parityShards } = info?.shards ?? protection ?? DEFAULT_COUNTS;
  if (info?.offsetBytes === 5) throw unsupported(found, "its index has offsets of 5 bytes");
  const dataFileBytes = info?.dataFileBytes ?? 0;
  if (dataFileBytes > VOLUME_FILE_BYTES_MAX) {
    throw unsupported(found, unreachableBytes(dataFileBytes, VOLUME_FILE_BYTES_MAX));
  }
  if (dataShards < 1 || parityShards < 1 || dataShards + parityShards > SHARD_COUNT_MAX) {
    throw unsupported(found, `it has ${dataShards} + ${parityShards} shards`);
  }
  return { folders, shape: { dataShards, parityShards }, info, protection };
}

/** The shards that are there, in the layout that `chooseLayout` finds for them. */
export async function openShardSet(
  deps: VolumeDeps,
  { folders, shape, protection }: Encoding,
  chooseLayout: (shards: ReadonlyMap<number, DiskFile>) => Promise<ErasureLayout>,
): Promise<ShardSet> {
  const shards = await openShards(deps, folders, shape);
  try {
    const layout = await chooseLayout(shards);
    return new ShardSet({
      path: folders[0]?.base ?? "",
      layout,
      code: new ErasureCode(shape),
      shards: await withoutMisfits(deps, shards, layout),
      protection,
      hashes: deps.hashes,
      log: deps.log,
    });
  } catch (error) {
    await Promise.all([...shards.values()].map((shard) => shard.close()));
    throw error;
  }
}

/** `undefined` when too little is left to make it of: needles that stand in what is left can still be read. */
export async function readSuperblock(file: ShardSet): Promise<Superblock | undefined> {
  const head = Buffer.alloc(SUPERBLOCK_BYTES);
  try {
    const count = await file.readAt(head, 0);
    return parseSuperblock(head.subarray(0, count), file.path);
  } catch (error) {
    if (error instanceof VolumeError && error.code === "too-few-shards") return undefined;
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

function unsupported(found: FoundErasure, what: string): VolumeError {
  return new VolumeError(
    "unsupported-format",
    `Cannot open erasure-coded volume ${found.id}: ${what}`,
  );
}
