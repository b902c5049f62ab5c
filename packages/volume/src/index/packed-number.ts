import { assert } from "@kelp/base";

/** Unsigned little-endian numbers of 2 to 6 bytes within rows of bytes. */

/** 2³². */
export const WORD = 0x1_0000_0000;

export const WIDTH_MIN = 2;

export function readPacked(bytes: Uint8Array, at: number, width: number): number {
  const two = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  if (width === 2) return two;
  if (width === 3) return two | ((bytes[at + 2] ?? 0) << 16);
  const four = (two | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
  if (width === 4) return four;
  const five = four + (bytes[at + 4] ?? 0) * WORD;
  return width === 5 ? five : five + (bytes[at + 5] ?? 0) * WORD * 0x100;
}

export function writePacked(bytes: Uint8Array, at: number, width: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  if (width > 2) bytes[at + 2] = value >>> 16;
  if (width > 3) bytes[at + 3] = value >>> 24;
  if (width > 4) bytes[at + 4] = Math.floor(value / WORD);
  if (width > 5) bytes[at + 5] = Math.floor(value / WORD) >>> 8;
}

/** The fewest bytes, 2 at least, that hold numbers up to `max`. */
export function widthOf(max: number): number {
  assert(max < WORD * 0x1_0000, "a packed number has at most 6 bytes");
  if (max < 0x1_0000) return 2;
  if (max < 0x100_0000) return 3;
  if (max < WORD) return 4;
  return max < WORD * 0x100 ? 5 : 6;
}
