import { assert } from "@kelp/base";
import type { VolumeForm, VolumeId, VolumeStatus } from "@kelp/wire";
import { SCRUB_BYTES_PER_SEC_MIN } from "../limits.ts";
import type { ScrubProgress } from "./scrub-record.ts";

export interface ScrubChoice {
  readonly id: VolumeId;
  readonly bytesPerSec: number;
}

/** A cycle is planned to be over when this share of it has passed: volumes grow, and servers are stopped. */
const PLANNED_SHARE = 0.5;

/**
 * Which volume to scrub now, and how fast, so that everything is read once in a cycle: one whose round was interrupted, else the
 * one that was read longest ago, once its cycle is over. `undefined` when nothing is due.
 */
export function chooseForScrub(
  volumes: readonly VolumeStatus[],
  progressOf: (id: VolumeId) => ScrubProgress,
  cycle: { readonly nowMs: number; readonly cycleMs: number },
): ScrubChoice | undefined {
  const { nowMs, cycleMs } = cycle;
  assert(cycleMs > 0, "a cycle takes time");
  let totalBytes = 0;
  let chosen: { readonly id: VolumeId; readonly finishedMs: number } | undefined;
  for (const { id, state, sizeBytes, form } of volumes) {
    if (state === "failed" || state === "missing" || state === "deleted") continue;
    totalBytes += bytesToRead(sizeBytes, form);
    const { positionBytes, finishedMs } = progressOf(id);
    const isInterrupted = positionBytes > 0;
    // A clock that stepped back must not put a volume off for ever.
    const isDue = isInterrupted || nowMs - finishedMs >= cycleMs || finishedMs > nowMs;
    if (!isDue) continue;
    const orderMs = isInterrupted ? Number.NEGATIVE_INFINITY : finishedMs;
    if (chosen === undefined || orderMs < chosen.finishedMs) chosen = { id, finishedMs: orderMs };
  }
  if (chosen === undefined) return undefined;
  const neededPerSec = (totalBytes * 1000) / (cycleMs * PLANNED_SHARE);
  return { id: chosen.id, bytesPerSec: Math.max(neededPerSec, SCRUB_BYTES_PER_SEC_MIN) };
}

/** Of shards all are read, and then every needle. */
function bytesToRead(sizeBytes: number, form: VolumeForm): number {
  if (form.kind !== "erasure-coded") return sizeBytes;
  const { dataShards, parityShards } = form;
  return sizeBytes * (1 + (dataShards + parityShards) / dataShards);
}
