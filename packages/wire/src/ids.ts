import { assert, type Brand } from "@kelp/base";

/** An append-only file of needles. 1 … 2³²−1. */
export type VolumeId = Brand<number, "VolumeId">;
/** The key of a needle inside its volume; 64 bits, never 0. */
export type NeedleId = Brand<bigint, "NeedleId">;
/** Name of a tree: a bucket, a CSI volume, the root of the classic filer. Checked by the gateway that owns the naming rules. */
export type TreeName = Brand<string, "TreeName">;
/** A key inside a tree: any text of 1 … `ENTRY_PATH_BYTES_MAX` bytes of UTF-8, no NUL; slashes have no meaning to the filer. */
export type EntryPath = Brand<string, "EntryPath">;
/** An open multipart upload. Opaque, unguessable, URL-safe. */
export type UploadId = Brand<string, "UploadId">;
/** The public half of an access key pair. */
export type AccessKeyId = Brand<string, "AccessKeyId">;

/** Where one needle is: volume, needle id and the random cookie that makes the address unguessable. */
export interface Fid {
  readonly volumeId: VolumeId;
  readonly needleId: NeedleId;
  /** Unsigned 32 bits. */
  readonly cookie: number;
}

export function volumeId(value: number): VolumeId {
  assert(Number.isInteger(value) && value > 0 && value <= 0xffff_ffff, "volume id is 1 to 2^32-1");
  return value as VolumeId;
}

export function needleId(value: bigint): NeedleId {
  assert(value > 0n && value <= 0xffff_ffff_ffff_ffffn, "needle id is 1 to 2^64-1");
  return value as NeedleId;
}

/**
 * File id text of SeaweedFS: `3,01637037d6` is volume 3, needle 0x01, cookie 0x637037d6.
 * The needle id is written from 8 bytes without its leading zero bytes.
 */
export function formatFid(fid: Fid): string {
  const digits = fid.needleId.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return `${fid.volumeId},${even}${fid.cookie.toString(16).padStart(8, "0")}`;
}

/** `undefined` when `text` is no file id. */
export function parseFid(text: string): Fid | undefined {
  const match = /^(\d{1,10}),([0-9a-fA-F]{9,24})$/.exec(text);
  const [, volumeText, hexText] = match ?? [];
  if (volumeText === undefined || hexText === undefined) return undefined;
  const volume = Number(volumeText);
  const needle = BigInt(`0x${hexText.slice(0, -8)}`);
  if (volume === 0 || volume > 0xffff_ffff || needle === 0n) return undefined;
  return {
    volumeId: volumeId(volume),
    needleId: needleId(needle),
    cookie: Number.parseInt(hexText.slice(-8), 16),
  };
}

/** `undefined` when the path is empty, too long, or holds a NUL. */
export function parseEntryPath(text: string): EntryPath | undefined {
  if (text.length === 0 || text.includes("\0")) return undefined;
  // A UTF-16 unit is at most 3 bytes of UTF-8, so only long texts need counting.
  if (text.length * 3 > ENTRY_PATH_BYTES_MAX && Buffer.byteLength(text) > ENTRY_PATH_BYTES_MAX) {
    return undefined;
  }
  return text as EntryPath;
}

/** S3's limit on object keys. */
export const ENTRY_PATH_BYTES_MAX = 1024;

/** Bucket naming of S3: 3–63 of lower case, digits, dot, hyphen; starts and ends with letter or digit; no `..`, no IPv4 form. */
export function parseBucketName(text: string): TreeName | undefined {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text)) return undefined;
  if (text.includes("..") || text.includes(".-") || text.includes("-.")) return undefined;
  if (/^\d+\.\d+\.\d+\.\d+$/.test(text)) return undefined;
  return text as TreeName;
}

/** A name that fits behind `BUCKET@`: 1–63 letters, digits, dots, hyphens and underscores; the first is a letter or digit. */
export function isSnapshotName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text);
}
