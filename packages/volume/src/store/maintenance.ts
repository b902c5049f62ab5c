import type {
  Damage,
  DiskStatus,
  FoundDamage,
  JobOptions,
  NeedleId,
  ScannedNeedle,
  ScrubReport,
  VacuumReport,
  VolumeFigures,
  VolumeId,
  VolumeStatus,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import {
  SCRUB_BUSY_RETRY_MS,
  SCRUB_BYTES_PER_SEC_DEFAULT,
  SCRUB_RETRY_MS,
  VACUUM_RETRY_MS,
} from "../limits.ts";
import { chooseForScrub } from "../scrub/scrub-policy.ts";
import { NEVER_SCRUBBED, ScrubRecord } from "../scrub/scrub-record.ts";
import { scrubVolume } from "../scrub/scrub-volume.ts";
import { Pace } from "../pace/pace.ts";
import { chooseForVacuum } from "../vacuum/vacuum-policy.ts";
import { rewriteOldVolume } from "../vacuum/rewrite-old.ts";
import { vacuumVolume } from "../vacuum/vacuum-volume.ts";
import { OldVolume } from "../volume/old-volume.ts";
import { type VolumeDeps, basePath } from "../volume/open-files.ts";
import { Volume } from "../volume/volume.ts";
import type { DiskFolder } from "./disk-folder.ts";
import type { VolumeSlot } from "./volume-table.ts";

/** What maintenance counts of the store's figures. */
type MaintenanceFigures = Omit<VolumeFigures, "changesRefusedCount" | "readsRefusedCount">;

export interface VacuumRound {
  /** See `VacuumPolicy`. */
  readonly garbageThreshold: number;
  /** See `JobOptions`. */
  readonly bytesPerSec: number;
  readonly signal: AbortSignal;
}

export interface ScrubRound {
  /** In how long everything is read once. */
  readonly cycleMs: number;
  readonly signal: AbortSignal;
}

/** What the store lends. */
export interface MaintenanceOptions extends VolumeDeps {
  /** Runs one job on a volume, ended by the signal that it gives. */
  readonly job: <Value>(
    id: VolumeId,
    name: string,
    options: JobOptions,
    work: (slot: VolumeSlot, signal: AbortSignal) => Promise<Value>,
  ) => Promise<Value>;
  /** Puts the volume that its files hold now in the place of the one in the slot. */
  readonly reopen: (id: VolumeId, slot: VolumeSlot) => Promise<void>;
  readonly volumes: () => Promise<VolumeStatus[]>;
  readonly disks: () => Promise<DiskStatus[]>;
  readonly find: (id: VolumeId) => VolumeSlot | undefined;
  /** Scrubs a volume of shards and makes good what parity can; `undefined` when it is none. */
  readonly scrubShards: (
    id: VolumeId,
    slot: VolumeSlot,
    options: JobOptions,
  ) => Promise<ScrubReport | undefined>;
}

/** Vacuuming and scrubbing of a store's volumes, one at a time or in rounds, and what came of it. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #records = new Map<DiskFolder, ScrubRecord>();
  readonly #figures: { -readonly [Name in keyof MaintenanceFigures]: number } = {
    vacuumCount: 0,
    vacuumFailureCount: 0,
    vacuumFreedBytes: 0,
    scrubCount: 0,
    scrubbedNeedleCount: 0,
    scrubbedBytes: 0,
    damagedCount: 0,
    repairedCount: 0,
  };
  /** Volumes whose vacuum failed, and until when the rounds leave them alone. */
  readonly #putOffMs = new Map<VolumeId, number>();
  /** The same for scrubs. */
  readonly #scrubPutOffMs = new Map<VolumeId, number>();

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  get figures(): MaintenanceFigures {
    return { ...this.#figures };
  }

  /** Everything listed as damaged, on all disks. */
  get quarantined(): readonly FoundDamage[] {
    return [...this.#records.values()].flatMap((record) => record.damaged);
  }

  /** What is listed of one volume. */
  damagedIn(id: VolumeId): readonly FoundDamage[] {
    return this.quarantined.filter((damage) => damage.volumeId === id);
  }

  /** Forgets damage of a volume that `isThere` says is no more, on whatever disk that was noted. */
  async settleDamage(id: VolumeId, isThere: (damage: Damage) => boolean): Promise<void> {
    for (const [disk, record] of this.#records) {
      if (disk.failure === undefined) await record.settleDamage(id, isThere);
    }
  }

  /** Reads what is known of a folder's volumes. To be called before they are opened. */
  async openRecord(disk: DiskFolder): Promise<void> {
    const record = await ScrubRecord.open(this.#options.disk, disk.folder, this.#options.log);
    this.#records.set(disk, record);
  }

  /** Of one volume of that folder, with the places of their records; goes on changing. */
  damagedNeedles(disk: DiskFolder, id: VolumeId): ReadonlyMap<NeedleId, number> {
    return this.#records.get(disk)?.damagedNeedles(id) ?? NO_NEEDLES;
  }

  /** Forgets what was known of a volume that is gone. */
  async forget(id: VolumeId): Promise<void> {
    this.#putOffMs.delete(id);
    this.#scrubPutOffMs.delete(id);
    for (const record of this.#records.values()) await record.forget(id);
  }

  /** See `vacuumVolume`. */
  async vacuum(id: VolumeId, options: JobOptions = {}): Promise<VacuumReport> {
    try {
      return await this.#options.job(id, "vacuum", options, async (slot, signal) => {
        const report = await this.#vacuumSlot(id, slot, { ...options, signal });
        this.#countVacuum(id, report);
        await this.#noteVacuum(id, slot.disk, report);
        return report;
      });
    } catch (error) {
      this.#figures.vacuumFailureCount++;
      throw error;
    }
  }

  /** See `vacuumVolume` and `rewriteOldVolume`. */
  async #vacuumSlot(id: VolumeId, slot: VolumeSlot, options: JobOptions): Promise<VacuumReport> {
    const { volume, disk } = slot;
    if (volume instanceof Volume) {
      return vacuumVolume(volume, this.#placeOf(id, volume, disk), this.#options, options);
    }
    if (!(volume instanceof OldVolume)) throw notPlain(id);
    const place = this.#placeOf(id, volume, disk);
    const report = await rewriteOldVolume(volume, place, this.#options, options);
    await this.#options.reopen(id, slot);
    return report;
  }

  /** See `scrubVolume`; of a volume that is no plain file every needle is read. */
  async scrub(id: VolumeId, options: JobOptions = {}): Promise<ScrubReport> {
    const report = await this.#options.job(id, "scrub", options, (slot, signal) =>
      this.#scrubSlot(id, slot, { ...options, signal }),
    );
    this.#figures.scrubCount++;
    this.#figures.scrubbedNeedleCount += report.checkedCount;
    this.#figures.scrubbedBytes += report.checkedBytes;
    this.#figures.damagedCount += report.damaged.length + report.repaired.length;
    this.#figures.repairedCount += report.repaired.length;
    return report;
  }

  /** Vacuums whatever the policy names now, one after another; returns how many were. Failures are logged and put off. */
  async vacuumRound(round: VacuumRound): Promise<number> {
    const { clock, log } = this.#options;
    const volumes = await this.#options.volumes();
    const nowMs = clock.nowMs();
    const ready = volumes.filter(({ id }) => (this.#putOffMs.get(id) ?? 0) <= nowMs);
    let count = 0;
    for (const { id, reason } of chooseForVacuum(ready, await this.#options.disks(), round)) {
      try {
        await this.vacuum(id, round);
        this.#putOffMs.delete(id);
        count++;
      } catch (error) {
        if (round.signal.aborted || isEnding(error)) return count;
        if (isBusy(error)) continue;
        this.#putOffMs.set(id, nowMs + VACUUM_RETRY_MS);
        log.error("a volume cannot be vacuumed", { volume_id: id, reason, error });
      }
    }
    return count;
  }

  /** Scrubs the volume that is due, if any; `true` when there may be another. Failures are logged and put off: others have their turn. */
  async scrubRound({ cycleMs, signal }: ScrubRound): Promise<boolean> {
    const { clock, log } = this.#options;
    const nowMs = clock.nowMs();
    const progressOf = (id: VolumeId) => this.#recordOf(id)?.progressOf(id) ?? NEVER_SCRUBBED;
    const volumes = await this.#options.volumes();
    const ready = volumes.filter(({ id }) => (this.#scrubPutOffMs.get(id) ?? 0) <= nowMs);
    const chosen = chooseForScrub(ready, progressOf, { nowMs, cycleMs });
    if (chosen === undefined) return false;
    const { id, bytesPerSec } = chosen;
    try {
      await this.scrub(id, { bytesPerSec, signal });
      this.#scrubPutOffMs.delete(id);
    } catch (error) {
      if (signal.aborted || isEnding(error)) return false;
      const delayMs = isBusy(error) ? SCRUB_BUSY_RETRY_MS : SCRUB_RETRY_MS;
      this.#scrubPutOffMs.set(id, nowMs + delayMs);
      if (!isBusy(error)) log.error("a volume cannot be scrubbed", { volume_id: id, error });
    }
    return true;
  }

  async #scrubSlot(id: VolumeId, slot: VolumeSlot, options: JobOptions): Promise<ScrubReport> {
    const { volume, disk } = slot;
    const record = this.#records.get(disk);
    if (record === undefined) throw notPlain(id);
    if (!(volume instanceof Volume)) {
      const report = await this.#options.scrubShards(id, slot, options);
      if (report === undefined) return this.#scrubByScan(id, slot, record, options);
      await this.#settle(id, record, report);
      return report;
    }
    const checked = {
      id,
      get content() {
        return volume.content;
      },
    };
    const indexPath = `${this.#placeOf(id, volume, disk).base}.idx`;
    return scrubVolume(checked, { indexPath, record }, this.#options, options);
  }

  async #scrubByScan(
    id: VolumeId,
    { volume }: VolumeSlot,
    record: ScrubRecord,
    options: JobOptions,
  ): Promise<ScrubReport> {
    const bytesPerSec = options.bytesPerSec ?? SCRUB_BYTES_PER_SEC_DEFAULT;
    const pace = new Pace(this.#options, { bytesPerSec, signal: options.signal });
    const damaged: Damage[] = [];
    let checkedCount = 0;
    let checkedBytes = 0;
    for await (const needle of volume.scan()) {
      checkedCount++;
      if (needle.kind === "corrupt") damaged.push(damageOf(id, needle));
      const bytes = needle.kind === "live" ? needle.sizeBytes : 0;
      checkedBytes += bytes;
      await pace.spend(bytes);
    }
    const report = { checkedCount, checkedBytes, repaired: [], damaged };
    await this.#settle(id, record, report);
    return report;
  }

  /** Notes that all of a volume was read, and what was found. */
  async #settle(id: VolumeId, record: ScrubRecord, { damaged }: ScrubReport): Promise<void> {
    const foundMs = this.#options.clock.nowMs();
    await this.settleDamage(id, () => false);
    await record.addDamage(damaged.map((damage) => ({ ...damage, foundMs })));
    await record.setProgress(id, { revision: 0, positionBytes: 0, finishedMs: foundMs });
  }

  #countVacuum(id: VolumeId, report: VacuumReport): void {
    this.#figures.vacuumCount++;
    this.#figures.vacuumFreedBytes += Math.max(0, report.bytesBefore - report.bytesAfter);
    this.#options.log.info("a volume was vacuumed", {
      volume_id: id,
      bytes_before: report.bytesBefore,
      bytes_after: report.bytesAfter,
    });
  }

  /** All that lives was read and written anew, with its index: what is damaged still is listed where it stands now. */
  async #noteVacuum(id: VolumeId, disk: DiskFolder, { damaged }: VacuumReport): Promise<void> {
    const { clock, log } = this.#options;
    const record = this.#records.get(disk);
    if (record === undefined) return;
    const foundMs = clock.nowMs();
    const known = new Map(
      record.damaged.flatMap((each) => (each.volumeId === id ? [[each.what, each.foundMs]] : [])),
    );
    // First: what is listed stays listed, whatever comes between.
    await record.addDamage(
      damaged.map((each) => ({ ...each, foundMs: known.get(each.what) ?? foundMs })),
    );
    const isLeft = new Set(damaged.map(({ what }) => what));
    await record.settleDamage(id, ({ what }) => isLeft.has(what));
    for (const { what, offsetBytes, reason } of damaged) {
      log.error("a vacuum kept a damaged needle as it is", {
        volume_id: id,
        what,
        offset_bytes: offsetBytes,
        reason,
      });
    }
  }

  #recordOf(id: VolumeId): ScrubRecord | undefined {
    const slot = this.#options.find(id);
    return slot === undefined ? undefined : this.#records.get(slot.disk);
  }

  #placeOf(id: VolumeId, { collection }: Volume | OldVolume, { folder }: DiskFolder) {
    return { folder, base: basePath({ folder, collection, id }) };
  }
}

const NO_NEEDLES: ReadonlyMap<NeedleId, number> = new Map();

function damageOf(id: VolumeId, needle: Extract<ScannedNeedle, { kind: "corrupt" }>): Damage {
  const { needleId, offsetBytes, reason } = needle;
  return { volumeId: id, what: needleId.toString(16), offsetBytes, reason };
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof VolumeError &&
    (error.code === "job-running" || error.code === "no-such-volume")
  );
}

function isEnding(error: unknown): boolean {
  return error instanceof VolumeError && error.code === "closed";
}

function notPlain(id: VolumeId): VolumeError {
  return new VolumeError(
    "read-only",
    `Cannot vacuum volume ${id}: its content is not in a volume file here`,
  );
}
