import { expect, test } from "bun:test";
import { type DiskStatus, PLAIN_VOLUME, type VolumeStatus, volumeId } from "@kelp/wire";
import { chooseForVacuum, garbageRatio } from "./vacuum-policy.ts";

const MIB = 1024 * 1024;
const ROOMY: DiskStatus = {
  folder: "a",
  diskType: "",
  state: "ok",
  totalBytes: 1000 * MIB,
  availableBytes: 500 * MIB,
  volumeCount: 0,
  volumeCountMax: undefined,
};
const TIGHT: DiskStatus = { ...ROOMY, availableBytes: 45 * MIB };

function volume(id: number, deletedMib: number, more: Partial<VolumeStatus> = {}): VolumeStatus {
  return {
    ...PLAIN_VOLUME,
    id: volumeId(id),
    collection: "",
    sizeBytes: 100 * MIB,
    liveCount: 1,
    liveBytes: (100 - deletedMib) * MIB,
    deletedCount: 1,
    deletedBytes: deletedMib * MIB,
    needleIdMax: 1n,
    state: "writable",
    createdMs: 0,
    modifiedMs: 0,
    ...more,
  };
}

function chosen(volumes: readonly VolumeStatus[], disks: readonly DiskStatus[] = [ROOMY]) {
  return chooseForVacuum(volumes, disks, { garbageThreshold: 0.3 }).map(
    ({ id, reason }) => `${id} ${reason}`,
  );
}

test("more garbage than the threshold is vacuumed, most first", () => {
  expect(chosen([volume(1, 30), volume(2, 31), volume(3, 90)])).toEqual(["3 garbage", "2 garbage"]);
});

test("full and read-only volumes are vacuumed, too; failed and missing ones are not", () => {
  const states = ["full", "read-only", "failed", "missing", "deleted"] as const;
  const volumes = states.map((state, index) => volume(index + 1, 90, { state }));
  expect(chosen(volumes)).toEqual(["1 garbage", "2 garbage"]);
});

test("what is not in a volume file here is left out", () => {
  const form = { kind: "remote", backend: "x", key: "y" } as const;
  expect(chosen([volume(1, 90, { form })])).toEqual([]);
});

test("on a disk that is nearly full any garbage is worth it, as far as its copy fits", () => {
  // Live bytes and 32 MiB to spare must fit in 45 MiB.
  const volumes = [volume(1, 90), volume(2, 86), volume(3, 88), volume(4, 2, { liveBytes: 0 })];
  expect(chosen(volumes, [TIGHT])).toEqual(["1 space", "3 space", "4 space"]);
});

test("need of space comes before garbage elsewhere", () => {
  const volumes = [volume(1, 95), volume(2, 90, { disk: 1 })];
  expect(chosen(volumes, [ROOMY, TIGHT])).toEqual(["2 space", "1 garbage"]);
});

test("garbage below the least worth is left, whatever its share", () => {
  const tiny = { sizeBytes: 1000, liveBytes: 0, deletedBytes: 992 };
  expect(chosen([volume(1, 0, tiny)])).toEqual([]);
});

test("a failed disk is left alone", () => {
  expect(chosen([volume(1, 90)], [{ ...ROOMY, state: "failed" }])).toEqual([]);
});

test("the garbage ratio of an empty file is 0", () => {
  expect(garbageRatio({ deletedBytes: 0, sizeBytes: 0 })).toBe(0);
  expect(garbageRatio({ deletedBytes: 50, sizeBytes: 200 })).toBe(0.25);
});
