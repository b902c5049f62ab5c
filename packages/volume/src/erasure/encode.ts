import { type DiskFile, ErasureCode, SHARD_COUNT_MAX } from "@kelp/base";
import type { ErasureShape, JobOptions, VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { JOB_BYTES_PER_SEC_DEFAULT } from "../limits.ts";
import { jobError } from "../sealed/job-error.ts";
import type { JobContext } from "../sealed/job-context.ts";
import { removePlainFiles } from "../sealed/plain-files.ts";
import { type SealedPlain, sealPlain } from "../sealed/seal-plain.ts";
import type { DiskFolder } from "../store/disk-folder.ts";
import type { VolumeSlot } from "../store/volume-table.ts";
import { Pace } from "../pace/pace.ts";
import { volumeFileName } from "../volume/file-name.ts";
import { readVolumeInfo, writeVolumeInfo } from "../volume/volume-info.ts";
import { type BitrotProtection, encodeBitrotFile } from "./bitrot-file.ts";
import { findErasure } from "./find-shards.ts";
import {
  FORMAT_BLOCKS,
  type ShardCounts,
  layoutOf,
  shardBytesOf,
  shardCountsOf,
} from "./layout.ts";
import { openErasure } from "./open-erasure.ts";
import { areOfAnother } from "./other-shards.ts";
import { placeShards } from "./place-shards.ts";
import { removeErasureFiles } from "./remove-erasure.ts";
import { UNFINISHED, shardExtension } from "./shard-names.ts";
import { type ShardWork, verifyShards, writeShards } from "./shard-writer.ts";
import { writeSortedIndex } from "./write-sorted-index.ts";

/**
 * Turns a full or read-only plain volume into shards over the folders. Order, for a crash at any moment:
 * 1. shards and index are written under unfinished names, synced, read back and compared: what a crash leaves is dropped;
 * 2. they get their names and the checksum file: while the information file says nothing of shards the volume file counts;
 * 3. the information file says so: from here on the shards count, if they are all there;
 * 4. the volume file is removed, last of all.
 * Any failure before 3 leaves the volume as it was. One in 3 or later leaves it read-only until it is opened again.
 */
export async function encodeVolume(
  context: JobContext,
  id: VolumeId,
  slot: VolumeSlot,
  options: JobOptions & ErasureShape,
): Promise<void> {
  const counts = checkedCounts(id, options);
  const pace = new Pace(context.deps, {
    bytesPerSec: options.bytesPerSec ?? JOB_BYTES_PER_SEC_DEFAULT,
    signal: options.signal,
  });
  const sealed = await sealPlain(context, id, { slot, job: "encode", pace });
  const plan: EncodePlan = {
    pace,
    context,
    id,
    slot,
    sealed,
    counts,
    collection: slot.volume.collection,
  };
  let homes: readonly DiskFolder[];
  try {
    await refuseOthers(plan);
    await dropShards(plan);
  } catch (error) {
    sealed.release();
    throw jobError("encode", id, error);
  }
  try {
    homes = await makeShards(plan);
  } catch (error) {
    await dropShardsQuietly(plan);
    sealed.release();
    throw jobError("encode", id, error);
  }
  try {
    await commit(plan, homes);
  } catch (error) {
    throw jobError("encode", id, error);
  }
}

interface EncodePlan {
  readonly pace: Pace;
  readonly context: JobContext;
  readonly id: VolumeId;
  readonly slot: VolumeSlot;
  readonly sealed: SealedPlain;
  readonly counts: ShardCounts;
  readonly collection: string;
}

function checkedCounts(id: VolumeId, shape: ErasureShape): ShardCounts {
  const counts = shardCountsOf(shape);
  const { dataShards, parityShards } = counts;
  const isPossible =
    Number.isSafeInteger(dataShards) &&
    Number.isSafeInteger(parityShards) &&
    dataShards >= 1 &&
    parityShards >= 1 &&
    dataShards + parityShards <= SHARD_COUNT_MAX;
  if (isPossible) return counts;
  throw new VolumeError(
    "invalid-shape",
    `Cannot encode volume ${id}: ${dataShards} + ${parityShards} shards, expected at least 1 + 1 and at most ${SHARD_COUNT_MAX} together`,
  );
}

/** Shards, index and checksum file under their names, durable and verified; returns the folders that have some. */
async function makeShards(plan: EncodePlan): Promise<readonly DiskFolder[]> {
  const { context, counts, pace } = plan;
  const { deps } = context;
  const { content } = plan.sealed.volume;
  const layout = layoutOf(counts, content.endBytes, context.blocks ?? FORMAT_BLOCKS);
  const wanted = Array.from({ length: counts.dataShards + counts.parityShards }, (_s, at) => at);
  const places = await placeShards(deps, context.disks, {
    wanted,
    shardBytes: shardBytesOf(layout),
    indexBytes: content.index.liveCount * 16,
  });
  const paths = wanted.map((shard) => `${baseIn(plan, places.get(shard))}${shardExtension(shard)}`);
  const shards = await openNew(plan, paths);
  let checksums: BitrotProtection["shards"];
  try {
    const code = new ErasureCode(counts);
    const work: ShardWork = { layout, code, data: content.data, shards, hashes: deps.hashes, pace };
    checksums = await writeShards(work);
    await verifyShards(work, checksums);
  } finally {
    await Promise.all(shards.map((file) => file.close()));
  }
  const homes = context.disks.filter((disk) => [...places.values()].includes(disk));
  await nameShards(plan, { paths, homes, checksums });
  return homes;
}

async function openNew(plan: EncodePlan, paths: readonly string[]): Promise<DiskFile[]> {
  const files: DiskFile[] = [];
  try {
    for (const path of paths) {
      const options = { access: "read-write", create: true, exclusive: true } as const;
      files.push(await plan.context.deps.disk.open(`${path}${UNFINISHED}`, options));
    }
    return files;
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    throw error;
  }
}

async function nameShards(
  plan: EncodePlan,
  made: {
    readonly paths: readonly string[];
    readonly homes: readonly DiskFolder[];
    readonly checksums: BitrotProtection["shards"];
  },
): Promise<void> {
  const { context, counts } = plan;
  const { disk, hashes } = context.deps;
  let index: BitrotProtection["index"];
  for (const home of made.homes) {
    const path = `${baseIn(plan, home)}.ecx`;
    const { index: live } = plan.sealed.volume.content;
    index = await writeSortedIndex(context.deps, path, live, { pace: plan.pace });
  }
  const protection = encodeBitrotFile(
    {
      ...counts,
      blockBytes: (context.blocks ?? FORMAT_BLOCKS).checksumBlockBytes,
      generation: 0,
      shards: made.checksums,
      encodingId: encodingIdOf(plan),
      index,
    },
    hashes,
  );
  for (const path of made.paths) await disk.rename(`${path}${UNFINISHED}`, path);
  for (const home of made.homes) {
    await disk.writeWhole(`${baseIn(plan, home)}.ecsum`, protection);
    await disk.syncFolder(home.folder);
  }
}

/** No two encodings have one: time and volume differ. */
function encodingIdOf(plan: EncodePlan): Uint8Array {
  const { clock, hashes } = plan.context.deps;
  const id = Buffer.alloc(16);
  id.writeBigUInt64BE(clock.nowNs());
  id.writeBigUInt64BE(hashes.xxh3(Buffer.from(volumeFileName(plan.collection, plan.id))), 8);
  return id;
}

/** From the moment the information file says that there are shards they are the volume. */
async function commit(plan: EncodePlan, homes: readonly DiskFolder[]): Promise<void> {
  const { context, id, slot, collection, counts } = plan;
  const { deps, table } = context;
  const dataFileBytes = plan.sealed.volume.content.endBytes;
  const shards = { ...counts, encodedNs: deps.clock.nowNs() };
  // The folder of the volume file comes last: it decides.
  const others = homes.filter((home) => home !== slot.disk);
  const home = baseIn(plan, slot.disk);
  const info = await readVolumeInfo(deps.disk, home);
  for (const other of others) {
    await writeVolumeInfo(deps.disk, baseIn(plan, other), info, { shards, dataFileBytes });
  }
  await writeVolumeInfo(deps.disk, home, info, { shards, dataFileBytes });
  const found = await findErasure(deps.disk, context.disks, { id, collection });
  const volume = await openErasure(deps, found, context.blocks);
  await table.exchange(id, volume);
  context.announce(id, volume);
  await removePlainFiles(deps.disk, {
    folder: slot.disk.folder,
    fileName: volumeFileName(collection, id),
  });
}

async function refuseOthers({ context, id, collection, sealed }: EncodePlan): Promise<void> {
  const { disk } = context.deps;
  const found = await findErasure(disk, context.disks, { id, collection });
  if (!(await areOfAnother(disk, found, sealed.volume.content.data))) return;
  throw new VolumeError(
    "volume-exists",
    `Cannot encode volume ${id}: shards of another volume have its name`,
  );
}

async function dropShards(plan: EncodePlan): Promise<void> {
  const { context, id, collection } = plan;
  await removeErasureFiles(context.deps.disk, context.disks, { id, collection });
}

async function dropShardsQuietly(plan: EncodePlan): Promise<void> {
  try {
    await dropShards(plan);
  } catch (error) {
    plan.context.deps.log.warn("shards of a failed encoding are left for the next opening", {
      volume_id: plan.id,
      error,
    });
  }
}

function baseIn(plan: EncodePlan, disk: DiskFolder | undefined): string {
  return `${(disk ?? plan.slot.disk).folder}/${volumeFileName(plan.collection, plan.id)}`;
}
