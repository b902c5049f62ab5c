import { must } from "@kelp/base";
import type { Damage, JobOptions, ScrubReport, VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { ERASURE_PIECE_BYTES, JOB_BYTES_PER_SEC_DEFAULT } from "../limits.ts";
import type { JobContext } from "../sealed/job-context.ts";
import { wrongForm } from "../sealed/job-error.ts";

import type { VolumeSlot } from "../store/volume-table.ts";
import { Pace } from "../pace/pace.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import { type DamagedCompanion, findDamagedCompanions, mendCompanions } from "./companions.ts";
import { STILL_OPEN, lostTooMany, noticeLostShards } from "./lost-shards.ts";
import { type ErasureContent, erasureContentOf } from "./open-erasure.ts";
import { rebuildVolume, reopenErasure } from "./rebuild.ts";

/** What reading all shards of a volume showed. */
export interface ShardScrub {
  readonly checkedBytes: number;
  readonly damaged: readonly Damage[];
}

/**
 * Reads every block of every shard and compares it with its checksum; blocks that do not fit are quarantined at once. A volume
 * without checksums has its parity compared with its data: then a difference is found, but not whose it is.
 */
export async function scrubShards(
  volume: { readonly id: VolumeId; readonly content: ErasureContent },
  pace: Pace,
): Promise<ShardScrub> {
  const { file } = volume.content;
  return file.protection === undefined ? compareParity(volume, pace) : verifyBlocks(volume, pace);
}

/**
 * A scrub of an erasure-coded volume: the files beside the shards, then all shards, then all needles; what parity or another copy can make good is made anew. Damage that is left
 * is that of needles which were damaged before they were encoded, or of more shards than there is parity.
 */
export async function scrubErasure(
  context: JobContext,
  id: VolumeId,
  slot: VolumeSlot,
  options: JobOptions,
): Promise<ScrubReport> {
  // First: shards are made anew from what these files say.
  const beside = await scrubCompanions(context, id, slot);
  const lost = await noticeLostShards(context, slot.volume);
  const { volume } = slot;
  const content = erasureContentOf(volume);
  if (content === undefined) throw wrongForm("scrub", id, volume.status().form.kind);
  const pace = new Pace(context.deps, {
    bytesPerSec: options.bytesPerSec ?? JOB_BYTES_PER_SEC_DEFAULT,
    signal: options.signal,
  });
  const shards = await scrubShards({ id, content }, pace);
  const absent = otherwiseMissing(id, content, shards.damaged);
  const needles = await scrubNeedles(id, volume, pace);
  const gone = lost.map((shard) => shardDamage(id, shard, { offsetBytes: 0, reason: SHARD_LOST }));
  const found = [...shards.damaged, ...absent];
  const isRepaired = await tryRebuild(context, id, slot, options);
  return {
    checkedCount: needles.count,
    checkedBytes: shards.checkedBytes + needles.bytes,
    repaired: [...beside.repaired, ...(isRepaired ? found : [])],
    damaged: [...beside.damaged, ...gone, ...(isRepaired ? [] : found), ...needles.damaged],
  };
}

/**
 * Finds shards that are lost, short or damaged, and makes them anew; returns their numbers. Unlike a scrub it reads no
 * needle, and it throws where a scrub lists. Throws as `rebuildVolume`.
 */
export async function rebuildErasure(
  context: JobContext,
  id: VolumeId,
  slot: VolumeSlot,
  options: JobOptions,
): Promise<readonly number[]> {
  await scrubCompanions(context, id, slot);
  const lost = await noticeLostShards(context, slot.volume);
  if (lost.length > 0) throw lostTooMany(id, lost);
  const content = erasureContentOf(slot.volume);
  if (content === undefined) throw wrongForm("rebuild", id, slot.volume.status().form.kind);
  const pace = new Pace(context.deps, {
    bytesPerSec: options.bytesPerSec ?? JOB_BYTES_PER_SEC_DEFAULT,
    signal: options.signal,
  });
  await scrubShards({ id, content }, pace);
  return rebuildVolume(context, id, slot, options);
}

/** The same reading of all shards, and nothing else: no needle is read and nothing is changed. Throws `wrong-form`. */
export async function checkErasure(
  context: Pick<JobContext, "deps">,
  id: VolumeId,
  volume: ServedVolume,
  options: JobOptions,
): Promise<readonly Damage[]> {
  const content = erasureContentOf(volume);
  if (content === undefined) throw wrongForm("check", id, volume.status().form.kind);
  const pace = new Pace(context.deps, {
    bytesPerSec: options.bytesPerSec ?? JOB_BYTES_PER_SEC_DEFAULT,
    signal: options.signal,
  });
  const { damaged } = await scrubShards({ id, content }, pace);
  const beside = await findDamagedCompanions(context.deps, companionsOf(id, content));
  const besideDamage = beside.map(({ damage }) => damage);
  return [...damaged, ...otherwiseMissing(id, content, damaged), ...besideDamage];
}

function companionsOf(id: VolumeId, { folders, file, index }: ErasureContent) {
  return { id, folders, protection: file.protection, sorted: index.sorted };
}

/** Makes the files beside the shards good. The volume is opened anew when the index that it uses was damaged. */
export async function scrubCompanions(
  context: JobContext,
  id: VolumeId,
  slot: VolumeSlot,
): Promise<{ readonly repaired: readonly Damage[]; readonly damaged: readonly Damage[] }> {
  const content = erasureContentOf(slot.volume);
  if (content === undefined) throw wrongForm("scrub", id, slot.volume.status().form.kind);
  const found = await findDamagedCompanions(context.deps, companionsOf(id, content));
  const mended = await mendCompanions(context.deps.disk, found);
  for (const { path, damage } of mended) {
    context.deps.log.warn("a file beside shards was made good", { path, reason: damage.reason });
  }
  if ([...mended].some(({ path }) => path === content.index.sorted.path)) {
    await reopenErasure(context, slot.volume);
  }
  const damageOf = (list: Iterable<DamagedCompanion>): Damage[] =>
    [...list].map(({ damage }) => damage);
  return {
    repaired: damageOf(mended),
    damaged: damageOf(found.filter((each) => !mended.has(each))),
  };
}

/** Why a shard is damaged that is not there at all. */
export const SHARD_MISSING = "it is missing";

const SHARD_LOST = `its file is gone, as are too many others; ${STILL_OPEN}`;

/** The number of the shard that a `Damage.what` names; `undefined` when it names something else. */
export function damagedShard(what: string): number | undefined {
  const match = /^shard (\d{1,2})$/.exec(what);
  return match === null ? undefined : Number(match[1]);
}

/** Shards that cannot be used for another reason than what was just found. */
function otherwiseMissing(
  id: VolumeId,
  { file }: ErasureContent,
  damaged: readonly Damage[],
): readonly Damage[] {
  const present = new Set(file.presentShards);
  const told = new Set(damaged.map(({ what }) => damagedShard(what)));
  return file.missingShards
    .filter((shard) => !told.has(shard))
    .map((shard) => {
      const reason = present.has(shard) ? "it was not trusted before" : SHARD_MISSING;
      return shardDamage(id, shard, { offsetBytes: 0, reason });
    });
}

async function tryRebuild(
  context: JobContext,
  id: VolumeId,
  slot: VolumeSlot,
  options: JobOptions,
): Promise<boolean> {
  try {
    const made = await rebuildVolume(context, id, slot, options);
    return made.length > 0;
  } catch (error) {
    const isHopeless =
      error instanceof VolumeError &&
      (error.code === "too-few-shards" ||
        error.code === "shards-corrupt" ||
        error.code === "out-of-space");
    if (!isHopeless) throw error;
    context.deps.log.error("damaged shards cannot be made anew", { volume_id: id, error });
    return false;
  }
}

async function verifyBlocks(
  volume: { readonly id: VolumeId; readonly content: ErasureContent },
  pace: Pace,
): Promise<ShardScrub> {
  const set = volume.content.file;
  const damaged: Damage[] = [];
  let checkedBytes = 0;
  for (let offsetBytes = 0; offsetBytes < set.shardBytes; offsetBytes += set.blockBytes) {
    const lengthBytes = Math.min(set.blockBytes, set.shardBytes - offsetBytes);
    for (const shard of set.presentShards) {
      checkedBytes += lengthBytes;
      const block = offsetBytes / set.blockBytes;
      if (await set.verifyBlock(shard, block, (bytes) => pace.spend(bytes))) {
        set.trust(shard, block);
        continue;
      }
      const reason = "its checksum does not fit, or it cannot be read";
      damaged.push(shardDamage(volume.id, shard, { offsetBytes, reason }));
    }
  }
  return { checkedBytes, damaged };
}

async function compareParity(
  volume: { readonly id: VolumeId; readonly content: ErasureContent },
  pace: Pace,
): Promise<ShardScrub> {
  const { file: set, code } = volume.content;
  const damaged: Damage[] = [];
  let checkedBytes = 0;
  const step = Math.min(ERASURE_PIECE_BYTES, set.layout.smallBlockBytes);
  for (let offsetBytes = 0; offsetBytes < set.shardBytes; offsetBytes += step) {
    const rows = Array.from({ length: code.shardCount }, () => Buffer.allocUnsafe(step));
    const isRead = await Promise.all(
      rows.map((row, shard) => set.readShard(shard, row, offsetBytes)),
    );
    await pace.spend(step * rows.length);
    checkedBytes += step * rows.length;
    // With a shard missing the rest cannot be compared; the missing one is reported anyway.
    if (!isRead.every(Boolean)) continue;
    const parity = Array.from({ length: code.parityShards }, () => Buffer.allocUnsafe(step));
    code.encode(rows.slice(0, code.dataShards), parity);
    const isEqual = parity.every(
      (row, index) => Buffer.compare(row, must(rows[code.dataShards + index])) === 0,
    );
    if (isEqual) continue;
    const reason = "parity does not fit the data, and no checksums tell which shard is damaged";
    damaged.push({ volumeId: volume.id, what: "shards", offsetBytes, reason });
  }
  return { checkedBytes, damaged };
}

async function scrubNeedles(id: VolumeId, volume: Pick<ServedVolume, "scan">, pace: Pace) {
  const damaged: Damage[] = [];
  let count = 0;
  let bytes = 0;
  for await (const needle of volume.scan()) {
    count++;
    if (needle.kind === "live") {
      bytes += needle.sizeBytes;
      await pace.spend(needle.sizeBytes);
      continue;
    }
    const { offsetBytes, reason } = needle;
    damaged.push({ volumeId: id, what: needle.needleId.toString(16), offsetBytes, reason });
  }
  return { count, bytes, damaged };
}

function shardDamage(
  id: VolumeId,
  shard: number,
  found: { readonly offsetBytes: number; readonly reason: string },
): Damage {
  return { volumeId: id, what: `shard ${shard}`, ...found };
}
