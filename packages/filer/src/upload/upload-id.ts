import { type Random, assertCount, hex } from "@kelp/base";
import type { UploadId } from "@kelp/wire";

/**
 * Upload ids are hex: 6 bytes of the time of creation in milliseconds, then 16 random bytes. So ids of one path sort by
 * time of creation even after their uploads are gone, and nobody can guess one.
 */
const TIME_DIGITS = 12;
const RANDOM_BYTES = 16;

/** Sorts before every id, and after: ids are made of 0-9 and a-f. */
export const UPLOAD_ID_BELOW_ALL = "";
export const UPLOAD_ID_ABOVE_ALL = "g";

export function newUploadId(random: Random, createdMs: number): UploadId {
  assertCount(createdMs, "time of creation is a count");
  const time = createdMs.toString(16).padStart(TIME_DIGITS, "0");
  return `${time}${hex(random.bytes(RANDOM_BYTES))}` as UploadId;
}
