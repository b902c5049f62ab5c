import { expect, test } from "bun:test";
import { PLAIN_VOLUME, type VolumeId, type VolumeStatus, volumeId } from "@kelp/wire";
import { SCRUB_BYTES_PER_SEC_MIN } from "../limits.ts";
import { chooseForScrub } from "./scrub-policy.ts";
import { NEVER_SCRUBBED, type ScrubProgress } from "./scrub-record.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW_MS = 100 * DAY_MS;

function volume(id: number, more: Partial<VolumeStatus> = {}): VolumeStatus {
  return {
    ...PLAIN_VOLUME,
    id: volumeId(id),
    collection: "",
    sizeBytes: 1000,
    liveCount: 1,
    liveBytes: 1000,
    deletedCount: 0,
    deletedBytes: 0,
    needleIdMax: 1n,
    state: "writable",
    createdMs: 0,
    modifiedMs: 0,
    ...more,
  };
}

function choose(
  volumes: readonly VolumeStatus[],
  known: Readonly<Record<number, Partial<ScrubProgress>>>,
) {
  const progressOf = (id: VolumeId) => ({ ...NEVER_SCRUBBED, ...known[id] });
  return chooseForScrub(volumes, progressOf, { nowMs: NOW_MS, cycleMs: 14 * DAY_MS });
}

test("the volume that was read longest ago comes first, once its cycle is over", () => {
  const volumes = [volume(1), volume(2), volume(3)];
  const known = {
    1: { finishedMs: NOW_MS - 15 * DAY_MS },
    2: { finishedMs: NOW_MS - 20 * DAY_MS },
    3: { finishedMs: NOW_MS - 13 * DAY_MS },
  };
  expect(choose(volumes, known)?.id).toBe(volumeId(2));
  expect(choose(volumes.slice(2), known)).toBeUndefined();
});

test("a volume that was never read is due, an interrupted round before all others", () => {
  const volumes = [volume(1), volume(2)];
  expect(choose(volumes, { 2: { positionBytes: 8, finishedMs: NOW_MS } })?.id).toBe(volumeId(2));
  expect(choose(volumes, { 2: { finishedMs: NOW_MS } })?.id).toBe(volumeId(1));
});

test("a clock that stepped back does not put a volume off", () => {
  expect(choose([volume(1)], { 1: { finishedMs: NOW_MS + DAY_MS } })?.id).toBe(volumeId(1));
});

test("failed and missing volumes are left out", () => {
  expect(choose([volume(1, { state: "failed" }), volume(2, { state: "missing" })], {})).toBe(
    undefined,
  );
});

test("the rate reads everything in half a cycle, and never less than the least", () => {
  expect(choose([volume(1)], {})?.bytesPerSec).toBe(SCRUB_BYTES_PER_SEC_MIN);
  const sizeBytes = 7 * 24 * 60 * 60 * 100_000_000;
  expect(choose([volume(1, { sizeBytes })], {})?.bytesPerSec).toBe(100_000_000);
});
