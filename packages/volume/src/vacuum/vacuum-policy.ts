import type { DiskStatus, VolumeId, VolumeStatus } from "@kelp/wire";
import { VACUUM_GARBAGE_BYTES_MIN, VACUUM_LOW_SPACE_SHARE, VACUUM_SPARE_BYTES } from "../limits.ts";

export interface VacuumPolicy {
  /** From 0 to 1: a volume of which more than this is garbage is vacuumed. */
  readonly garbageThreshold: number;
}

export interface VacuumChoice {
  readonly id: VolumeId;
  readonly reason: "garbage" | "space";
}

/** The share of a volume file that vacuuming would free, from 0 to 1. */
export function garbageRatio(volume: Pick<VolumeStatus, "deletedBytes" | "sizeBytes">): number {
  return volume.sizeBytes === 0 ? 0 : Math.min(1, volume.deletedBytes / volume.sizeBytes);
}

/**
 * Which volumes to vacuum now, in order: on disks that are nearly full whatever frees something, and elsewhere those with more
 * garbage than the policy allows; what frees most comes first. Left out is what cannot be vacuumed (failed, missing, not in a
 * volume file here, no space for its copy), and garbage that is not worth the trouble.
 */
export function chooseForVacuum(
  volumes: readonly VolumeStatus[],
  disks: readonly DiskStatus[],
  policy: VacuumPolicy,
): readonly VacuumChoice[] {
  const chosen: (VacuumChoice & { readonly freedBytes: number })[] = [];
  for (const volume of volumes) {
    const disk = disks[volume.disk];
    if (disk === undefined || disk.state !== "ok" || !isVacuumable(volume)) continue;
    if (volume.deletedBytes < VACUUM_GARBAGE_BYTES_MIN) continue;
    if (volume.liveBytes + VACUUM_SPARE_BYTES > disk.availableBytes) continue;
    const isLow = disk.availableBytes < disk.totalBytes * VACUUM_LOW_SPACE_SHARE;
    if (!isLow && garbageRatio(volume) <= policy.garbageThreshold) continue;
    const reason = isLow ? "space" : "garbage";
    chosen.push({ id: volume.id, reason, freedBytes: volume.deletedBytes });
  }
  return chosen
    .sort((left, right) => rank(left) - rank(right) || right.freedBytes - left.freedBytes)
    .map(({ id, reason }) => ({ id, reason }));
}

function rank(choice: VacuumChoice): number {
  return choice.reason === "space" ? 0 : 1;
}

function isVacuumable({ form, state }: VolumeStatus): boolean {
  if (form.kind !== "plain") return false;
  return state === "writable" || state === "full" || state === "read-only";
}
