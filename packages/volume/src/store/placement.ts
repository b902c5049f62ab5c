import type { DiskFolder } from "./disk-folder.ts";

/** A folder that a new volume could go to. */
export interface Place {
  readonly disk: DiskFolder;
  /** `undefined` when the disk does not answer. */
  readonly availableBytes: number | undefined;
  readonly volumeCount: number;
}

export type Placement =
  | { readonly kind: "places"; readonly disks: readonly DiskFolder[] }
  | { readonly kind: "none"; readonly reason: string };

/** Where a new volume should be made, best first: on disks where nothing failed yet, then where most space is free. */
export function placeVolume(places: readonly Place[], diskType: string): Placement {
  const ofType = places.filter(({ disk }) => diskType === "" || disk.diskType === diskType);
  if (ofType.length === 0) return none(`no folder is of disk type ${diskType}`);
  const answering = ofType.filter(({ availableBytes }) => availableBytes !== undefined);
  if (answering.length === 0) return none("no disk can be used");
  const countable = answering.filter(
    ({ disk, volumeCount }) => volumeCount < (disk.volumeCountMax ?? Number.POSITIVE_INFINITY),
  );
  if (countable.length === 0) return none("every folder has as many volumes as it may have");
  const roomy = countable.filter(
    ({ disk, availableBytes = 0 }) => availableBytes >= disk.freeBytesFloor,
  );
  if (roomy.length === 0) return none("every disk has less free than its floor");
  const best = roomy.toSorted(
    (left, right) =>
      left.disk.failedVolumeCount - right.disk.failedVolumeCount ||
      (right.availableBytes ?? 0) - (left.availableBytes ?? 0),
  );
  return { kind: "places", disks: best.map(({ disk }) => disk) };
}

function none(reason: string): Placement {
  return { kind: "none", reason };
}
