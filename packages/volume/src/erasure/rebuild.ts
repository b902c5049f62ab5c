import type { DiskFile } from "@kelp/base";
import type { JobOptions, VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { ERASURE_PIECE_BYTES, JOB_BYTES_PER_SEC_DEFAULT } from "../limits.ts";
import type { JobContext } from "../sealed/job-context.ts";
import { jobError, wrongForm } from "../sealed/job-error.ts";
import { SealedVolume } from "../sealed/sealed-volume.ts";
import type { DiskFolder } from "../store/disk-folder.ts";
import type { VolumeSlot } from "../store/volume-table.ts";
import { Pace } from "../pace/pace.ts";
import { SteadySync } from "../pace/steady-sync.ts";
import { volumeFileName } from "../volume/file-name.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import { writeVolumeInfo } from "../volume/volume-info.ts";
import { encodeBitrotFile } from "./bitrot-file.ts";
import { copyFile } from "./copy-file.ts";
import { findErasure } from "./find-shards.ts";
import { type ErasureContent, erasureContentOf, openErasure } from "./open-erasure.ts";
import { placeShards } from "./place-shards.ts";
import { removeErasureFiles } from "./remove-erasure.ts";
import { UNFINISHED, shardExtension } from "./shard-names.ts";

/**
 * Makes the missing and quarantined shards of a volume anew, each from blocks of others that agree with their checksums; a
 * new shard is read back before it takes its name. Returns their numbers. Throws `too-few-shards`, `shards-corrupt`,
 * `out-of-space`. Reads and removals go on meanwhile.
 */
export async function rebuildVolume(
  context: JobContext,
  id: VolumeId,
  slot: VolumeSlot,
  options: JobOptions,
): Promise<readonly number[]> {
  const { volume } = slot;
  const content = erasureContentOf(volume);
  if (content === undefined || !(volume instanceof SealedVolume))
    throw wrongForm("rebuild", id, volume.status().form.kind);
  const wanted = content.file.missingShards;
  if (wanted.length === 0) return [];
  const name = { id, collection: volume.collection };
  try {
    await dropUnfinished(context, name);
    const places = await placesFor(context, content, wanted);
    const pace = new Pace(context.deps, {
      bytesPerSec: options.bytesPerSec ?? JOB_BYTES_PER_SEC_DEFAULT,
      signal: options.signal,
    });
    const fileName = volumeFileName(volume.collection, id);
    for (const [shard, disk] of places) {
      const path = `${disk.folder}/${fileName}${shardExtension(shard)}`;
      await makeShard({ context, content, shard, path, pace });
      await context.deps.disk.syncFolder(disk.folder);
    }
    await copyCompanions(context, content, { fileName, disks: new Set(places.values()) });
    await reopenErasure(context, volume);
    return wanted;
  } catch (error) {
    throw jobError("rebuild", id, error);
  }
}

async function dropUnfinished(
  context: JobContext,
  name: { readonly id: VolumeId; readonly collection: string },
): Promise<void> {
  const { deps, disks } = context;
  await removeErasureFiles(deps.disk, disks, name, ({ part }) => part === "unfinished");
}

/** A quarantined shard goes where it was, a missing one where fewest are. */
async function placesFor(
  context: JobContext,
  content: ErasureContent,
  wanted: readonly number[],
): Promise<Map<number, DiskFolder>> {
  const usable = content.folders.filter(({ disk }) => disk.failure === undefined);
  const places = new Map<number, DiskFolder>();
  const missing: number[] = [];
  for (const shard of wanted) {
    const there = usable.find((folder) => folder.shards.includes(shard));
    if (there === undefined) missing.push(shard);
    else places.set(shard, there.disk);
  }
  const held = new Map(usable.map((folder) => [folder.disk, folder.shards.length]));
  const placed = await placeShards(context.deps, context.disks, {
    wanted: missing,
    shardBytes: content.file.shardBytes,
    indexBytes: content.index.sorted.sizeBytes,
    held,
  });
  return new Map([...places, ...placed]);
}

interface ShardToMake {
  readonly context: JobContext;
  readonly content: ErasureContent;
  readonly shard: number;
  readonly path: string;
  readonly pace: Pace;
}

async function makeShard(work: ShardToMake): Promise<void> {
  const { disk } = work.context.deps;
  const unfinished = `${work.path}${UNFINISHED}`;
  {
    await using file = await disk.open(unfinished, {
      access: "read-write",
      create: true,
      exclusive: true,
    });
    const { blockBytes, shardBytes } = work.content.file;
    const sums: number[] = [];
    for (let at = 0; at < shardBytes; at += blockBytes) sums.push(await makeBlock(work, file, at));
    await file.sync();
    await readBack(work, file, sums);
  }
  await disk.rename(unfinished, work.path);
}

/** Writes one block and returns its checksum. Sources that turn out to be damaged are put aside and others taken. */
async function makeBlock(work: ShardToMake, file: DiskFile, start: number): Promise<number> {
  const set = work.content.file;
  const block = start / set.blockBytes;
  const expected = set.checksumOf(work.shard, block);
  for (;;) {
    await verifySources(work, block);
    const sum = await writeBlock(work, file, start);
    if (expected === undefined || sum === expected) return sum;
    // The sources agreed with their checksums a moment ago: look again, and give up when they still do.
    if (await verifySources(work, block)) throw disagrees(work, "its checksum does not fit");
  }
}

/** Verifies the block of every shard that may be read for it; whether all were good. */
async function verifySources(work: ShardToMake, block: number): Promise<boolean> {
  const set = work.content.file;
  let isGood = true;
  for (const shard of set.presentShards) {
    const run = { offsetBytes: block * set.blockBytes, lengthBytes: 1 };
    if (shard === work.shard || !set.isUsable(shard, run)) continue;
    const spend = (bytes: number): Promise<void> => work.pace.spend(bytes);
    if (!(await set.verifyBlock(shard, block, spend))) isGood = false;
  }
  return isGood;
}

async function writeBlock(work: ShardToMake, file: DiskFile, start: number): Promise<number> {
  const { file: set } = work.content;
  const { hashes } = work.context.deps;
  const end = Math.min(start + set.blockBytes, set.shardBytes);
  const buffer = Buffer.allocUnsafeSlow(Math.min(ERASURE_PIECE_BYTES, end - start));
  const syncing = new SteadySync(file);
  let sum = 0;
  for (let at = start; at < end; at += buffer.length) {
    const bytes = buffer.subarray(0, Math.min(buffer.length, end - at));
    await set.recover([{ shard: work.shard, bytes }], at);
    await file.writeAt([bytes], at);
    sum = hashes.crc32c(bytes, sum);
    await syncing.wrote(bytes.length);
    await work.pace.spend(bytes.length * (set.layout.dataShards + 1));
  }
  return sum;
}

async function readBack(work: ShardToMake, file: DiskFile, sums: readonly number[]): Promise<void> {
  const { blockBytes, shardBytes } = work.content.file;
  for (const [block, expected] of sums.entries()) {
    const start = block * blockBytes;
    const end = Math.min(start + blockBytes, shardBytes);
    const buffer = Buffer.allocUnsafeSlow(Math.min(ERASURE_PIECE_BYTES, end - start));
    let sum = 0;
    for (let at = start; at < end; at += buffer.length) {
      const bytes = buffer.subarray(0, Math.min(buffer.length, end - at));
      if ((await file.readAt(bytes, at)) !== bytes.length) throw disagrees(work, "it is too short");
      sum = work.context.deps.hashes.crc32c(bytes, sum);
      await work.pace.spend(bytes.length);
    }
    if (sum !== expected) throw disagrees(work, "it holds other bytes than were written");
  }
}

/** Index, checksums and information beside every shard, so that no folder is the only one to have them. */
async function copyCompanions(
  context: JobContext,
  content: ErasureContent,
  target: { readonly fileName: string; readonly disks: ReadonlySet<DiskFolder> },
): Promise<void> {
  const { disk, hashes } = context.deps;
  const { protection } = content.file;
  for (const folder of target.disks) {
    const base = `${folder.folder}/${target.fileName}`;
    if (!(await disk.exists(`${base}.ecx`))) {
      await copyFile(disk, content.index.sorted.path, `${base}.ecx`);
    }
    if (protection !== undefined && !(await disk.exists(`${base}.ecsum`))) {
      await disk.writeWhole(`${base}.ecsum`, encodeBitrotFile(protection, hashes));
    }
    if (content.info.shards === undefined || (await disk.exists(`${base}.vif`))) continue;
    await writeVolumeInfo(disk, base, content.info, {});
  }
}

/** Puts the volume as its files are now in its place. Removals wait no longer than it takes to open the files: the new volume must know of all of them. */
export async function reopenErasure(context: JobContext, volume: ServedVolume): Promise<void> {
  if (!(volume instanceof SealedVolume)) return;
  const { deps, disks, table } = context;
  const { id, collection } = volume;
  using _frozen = await volume.freeze("rebuild");
  const found = await findErasure(deps.disk, disks, { id, collection });
  const next = await openErasure(deps, found, context.blocks);
  await table.exchange(id, next);
  context.announce(id, next);
}

function disagrees(work: ShardToMake, found: string): VolumeError {
  return new VolumeError("shards-corrupt", `Cannot rebuild ${work.path}: ${found}`);
}
