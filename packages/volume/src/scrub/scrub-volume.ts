import { type Clock, type Disk, DiskError, type Foreground, type Log } from "@kelp/base";
import type { Damage, JobOptions, ScrubReport, VolumeId } from "@kelp/wire";
import { SCRUB_BYTES_PER_SEC_DEFAULT, SCRUB_SAVE_BYTES } from "../limits.ts";
import { Pace } from "../pace/pace.ts";
import { checkIndex } from "./check-index.ts";
import { type CheckWatcher, type CheckedVolume, checkNeedles } from "./check-needles.ts";
import { type ScrubRecord, damagedNeedle } from "./scrub-record.ts";
import type { Checksums } from "../needle/decode.ts";

export interface ScrubDeps {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly hashes: Checksums;
  readonly log: Log;
  /** Whom the job gives way to. */
  readonly foreground?: Pick<Foreground, "load"> | undefined;
}

export interface ScrubPlace {
  readonly indexPath: string;
  readonly record: ScrubRecord;
  /** Whoever can make damaged things whole again; `true` when it did, durably. */
  readonly repair?: (damage: Damage) => Promise<boolean>;
}

/**
 * Reads everything of a plain volume: first the needles, from where an interrupted round ended, then the headers of all
 * records against the index and its file. What is damaged and cannot be repaired is listed durably (quarantined): reads of it
 * throw `needle-corrupt` from then on, until it is removed or overwritten. What was listed and is fine again is taken off.
 * Rejects with the signal's reason; the next round goes on from about there.
 */
export async function scrubVolume(
  volume: CheckedVolume,
  place: ScrubPlace,
  deps: ScrubDeps,
  options: JobOptions = {},
): Promise<ScrubReport> {
  const { record } = place;
  const { compactionRevision } = volume.content.superblock;
  const earlier = record.progressOf(volume.id);
  const isSameFile = earlier.revision === compactionRevision;
  const fromBytes = isSameFile ? earlier.positionBytes : 0;
  const watcher = new Watcher(volume, place, deps, { ...options, fromBytes });
  const needles = await checkNeedles(volume, fromBytes, deps, watcher);
  // Of a damaged header it cannot be told whether the index or the record is wrong.
  const isIndexChecked =
    needles.hasSoundHeaders && !record.damaged.some(isBefore(volume.id, fromBytes));
  const index = isIndexChecked ? await checkIndexOf(volume, place, deps, watcher) : undefined;
  const found = index === undefined ? needles.damaged : [...needles.damaged, index];
  const { repaired, damaged } = await repairAll(found, place, deps);
  await settle(volume, place, { fromBytes, isIndexChecked, damaged });
  const foundMs = deps.clock.nowMs();
  await record.addDamage(damaged.map((damage) => ({ ...damage, foundMs })));
  await record.setProgress(volume.id, {
    revision: compactionRevision,
    positionBytes: 0,
    finishedMs: foundMs,
  });
  for (const { volumeId, what, offsetBytes, reason } of damaged) {
    deps.log.error("scrubbing found damage that cannot be repaired", {
      volume_id: volumeId,
      what,
      offset_bytes: offsetBytes,
      reason,
    });
  }
  return { checkedCount: needles.count, checkedBytes: needles.bytes, repaired, damaged };
}

/** Needles that were found damaged in the part which this round does not read. */
function isBefore(id: VolumeId, fromBytes: number): (damage: Damage) => boolean {
  return ({ volumeId, what, offsetBytes }) =>
    volumeId === id && damagedNeedle(what) !== undefined && offsetBytes < fromBytes;
}

/** Paces the check, and notes how far it came. */
class Watcher implements CheckWatcher {
  readonly #volume: CheckedVolume;
  readonly #record: ScrubRecord;
  readonly #pace: Pace;
  readonly #clock: Clock;
  readonly #finishedMs: number;
  #savedBytes: number;

  constructor(
    volume: CheckedVolume,
    place: ScrubPlace,
    deps: ScrubDeps,
    { fromBytes, ...options }: JobOptions & { readonly fromBytes: number },
  ) {
    this.#volume = volume;
    this.#record = place.record;
    this.#pace = new Pace(deps, {
      bytesPerSec: options.bytesPerSec ?? SCRUB_BYTES_PER_SEC_DEFAULT,
      signal: options.signal,
    });
    this.#clock = deps.clock;
    this.#finishedMs = this.#record.progressOf(volume.id).finishedMs;
    this.#savedBytes = fromBytes;
  }

  spend(bytes: number): Promise<void> {
    return this.#pace.spend(bytes);
  }

  async onPosition(positionBytes: number, found: () => readonly Damage[]): Promise<void> {
    if (positionBytes - this.#savedBytes < SCRUB_SAVE_BYTES) return;
    this.#savedBytes = positionBytes;
    // First: a round that goes on behind the position does not see it again.
    const foundMs = this.#clock.nowMs();
    await this.#record.addDamage(found().map((damage) => ({ ...damage, foundMs })));
    await this.#record.setProgress(this.#volume.id, {
      revision: this.#volume.content.superblock.compactionRevision,
      positionBytes,
      finishedMs: this.#finishedMs,
    });
  }
}

async function checkIndexOf(
  volume: CheckedVolume,
  place: ScrubPlace,
  deps: ScrubDeps,
  watcher: Watcher,
): Promise<Damage | undefined> {
  const damage = (reason: string): Damage => {
    return { volumeId: volume.id, what: "index", offsetBytes: 0, reason };
  };
  try {
    await using indexFile = await deps.disk.open(place.indexPath, { access: "read" });
    const reason = await checkIndex({
      // Asked anew each time: changes go on.
      get content() {
        return volume.content;
      },
      indexFile,
      spend: (bytes) => watcher.spend(bytes),
    });
    return reason === undefined ? undefined : damage(reason);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return damage(`the disk refused to read: ${error.code}`);
  }
}

async function repairAll(
  found: readonly Damage[],
  { repair }: ScrubPlace,
  { log }: ScrubDeps,
): Promise<{ readonly repaired: readonly Damage[]; readonly damaged: readonly Damage[] }> {
  if (repair === undefined) return { repaired: [], damaged: found };
  const repaired: Damage[] = [];
  const damaged: Damage[] = [];
  for (const damage of found) {
    let isRepaired = false;
    try {
      isRepaired = await repair(damage);
    } catch (error) {
      log.warn("a repair failed", { volume_id: damage.volumeId, what: damage.what, error });
    }
    (isRepaired ? repaired : damaged).push(damage);
  }
  return { repaired, damaged };
}

/** Takes off the list what this round has seen to be fine, and what is not there any more. */
async function settle(
  volume: CheckedVolume,
  { record }: ScrubPlace,
  round: {
    readonly fromBytes: number;
    readonly isIndexChecked: boolean;
    readonly damaged: readonly Damage[];
  },
): Promise<void> {
  const isFound = new Set(round.damaged.map((damage) => damage.what));
  await record.settleDamage(volume.id, (damage) => {
    if (isFound.has(damage.what)) return true;
    const needle = damagedNeedle(damage.what);
    if (needle === undefined) return !round.isIndexChecked;
    const location = volume.content.index.find(
      Number(needle >> 32n),
      Number(BigInt.asUintN(32, needle)),
    );
    // What stands before the beginning of this round was not looked at.
    return location?.offsetBytes === damage.offsetBytes && damage.offsetBytes < round.fromBytes;
  });
}
