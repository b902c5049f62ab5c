import { CallError } from "@kelp/base";
import type { Fid, VolumeId } from "@kelp/wire";
import { VolumeError, type VolumeErrorCode } from "../errors.ts";

/** What the owner of the folders has a gateway do, by name. */
export const TAKE_CALL = "lent.take";
export const GIVE_BACK_CALL = "lent.giveBack";
export const NEEDLE_CALL = "lent.needle";
export const STATUS_CALL = "lent.status";

/** What a gateway asks of the owner. */
export const BORROW_CALL = "volumes.borrow";
export const RETURNED_CALL = "volumes.returned";
export const PLACE_CALL = "volumes.place";
export const APPEND_CALL = "volumes.append";
export const READ_CALL = "volumes.read";
export const REMOVE_CALL = "volumes.remove";

/** The volume is not lent to that gateway any more: ask the owner. */
export const NOT_BORROWED = "not-borrowed";

/** Where a volume is, and within which bounds it is written. Plain data: it crosses as it is. */
export interface LentPlace {
  readonly id: VolumeId;
  readonly collection: string;
  readonly folder: string;
  readonly disk: number;
  readonly diskType: string;
  readonly sizeBytesMax: number;
  readonly graceBytes: number;
  /** Of the folder: less free than that and the volume goes back. */
  readonly freeBytesFloor: number;
}

/** Where a volume can be read without its owner. */
export interface FollowPlace {
  readonly folder: string;
  readonly collection: string;
  readonly id: VolumeId;
  readonly compactionRevision: number;
}

/** Methods of `ServedVolume` on one needle. */
export type NeedleMethod =
  | "append"
  | "read"
  | "remove"
  | "writeNeedle"
  | "readNeedle"
  | "removeNeedle";

export interface NeedleCall {
  readonly method: NeedleMethod;
  readonly fid: Fid;
  /** What follows the address. */
  readonly rest: readonly unknown[];
}

/** The error of this room that the other side threw; others as they are. */
export function volumeErrorOf(error: unknown): unknown {
  if (!(error instanceof CallError) || !Object.hasOwn(CODES, error.code)) return error;
  return new VolumeError(error.code as VolumeErrorCode, error.message, { cause: error });
}

const CODES = {
  "needle-corrupt": true,
  "cookie-mismatch": true,
  "needle-too-large": true,
  "invalid-needle": true,
  "no-such-volume": true,
  "volume-missing": true,
  "volume-exists": true,
  "job-running": true,
  "volume-full": true,
  "volume-failed": true,
  "read-only": true,
  "out-of-space": true,
  overloaded: true,
  "read-failed": true,
  "unsupported-format": true,
  "invalid-collection": true,
  "too-few-shards": true,
  "shards-corrupt": true,
  "index-corrupt": true,
  "invalid-shape": true,
  "not-sealed": true,
  "wrong-form": true,
  "no-such-backend": true,
  "remote-failed": true,
  "invalid-traits": true,
  "folder-in-use": true,
  "folder-used-twice": true,
  "catalogue-unreadable": true,
  closed: true,
} satisfies Record<VolumeErrorCode, true>;
