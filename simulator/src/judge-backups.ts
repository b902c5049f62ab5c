import { type DiskImage, PowerCutDisk, type SeededRandom } from "@kelp/base/testing";
import { type BackupRun, backUp, backupsOn, openRestored } from "./backups.ts";
import { judge } from "./judge.ts";
import { SimulatedClock } from "./simulated-clock.ts";
import type { StoreRig } from "./store-rig.ts";
import type { WorkloadRecord } from "./workload.ts";

/** The run that a cut happened in. */
export interface CutRun {
  readonly record: WorkloadRecord;
  /** Of the run: what time it was when. */
  readonly clock: SimulatedClock;
  readonly moment: number;
  readonly random: SeededRandom;
}

/**
 * Restores one of the backups that a cut left, mostly the newest: at least the newest that was acknowledged must be there, and each
 * holds the state of the moment at which its database was copied.
 */
export async function judgeBackups(image: DiskImage, cut: CutRun): Promise<void> {
  const { record, clock, moment, random } = cut;
  const disk = new PowerCutDisk({ start: image });
  const manifests = await backupsOn(disk);
  const acknowledged = record.backups.findLast(({ end }) => end !== undefined && end <= moment);
  if (acknowledged !== undefined && !manifests.some(({ id }) => id === acknowledged.id)) {
    throw new Error(`The backup ${acknowledged.id} is lost`);
  }
  const newest = manifests.at(-1);
  if (newest === undefined) return;
  const manifest = random.chance(0.3) ? random.pick(manifests) : newest;
  const run = record.backups.find(({ id }) => id === manifest.id);
  if (run?.copied === undefined) {
    // One that failed when its manifest was written has no id that anybody knows.
    if (record.hasFailures) return;
    throw new Error(`Nobody made the backup ${manifest.id}`);
  }
  const time = new SimulatedClock(clock.nowMsAt(run.copied));
  await using restored = await openRestored(disk, manifest, { random, clock: time });
  await judge(restored, record, { moment: run.copied, origin: "backup" });
}

/** Makes a backup after the cut, on top of what the cut left of others, and restores that. */
export async function judgeNextBackup(rig: StoreRig, cut: CutRun): Promise<void> {
  const { record, moment, random } = cut;
  const run: BackupRun = { start: 0, copied: undefined, end: undefined, id: undefined };
  const manifest = await backUp(rig, random, run);
  const clock = new SimulatedClock(rig.clock.nowMs());
  await using restored = await openRestored(rig.disk, manifest, { random, clock });
  await judge(restored, record, { moment, origin: "backup" });
}
