import { endianness } from "node:os";

/**
 * The head of the index of a write-ahead log, in memory that all processes share which have the database open; each word in the byte order of
 * the machine (sqlite.org/walformat.html, 2.1). It stands there twice:
 *
 * | bytes | |
 * |---|---|
 * | 0–3 | version of the format |
 * | 8–11 | counts transactions |
 * | 12 | 1 when the head is there |
 * | 13 | 1 when sums in the log are big-endian |
 * | 16–19 | frames of the log |
 */
const HEAD_WORDS = 12;
const FORMAT = 3_007_000;
const WORD = { format: 0, changes: 2, flags: 3, frames: 4 } as const;
const IS_THERE = endianness() === "LE" ? 1 : 0x01_00_00_00;
const IS_THERE_MASK = endianness() === "LE" ? 0xff : 0xff_00_00_00;
/** Counts of frames have room below those of transactions, which have 32 bits, in a safe integer. */
const FRAMES_BOUND = 2 ** 20;

/**
 * Reads which state of a database is the newest, without a system call. `undefined` where the index cannot be looked at, or is not as it
 * is known here.
 *
 * The caller must have read from the database by a connection that stays open as long as what this returns is called: the index is
 * neither made anew nor removed then.
 */
export function mapLogIndex(databasePath: string): (() => number) | undefined {
  let mapped: Uint8Array;
  try {
    mapped = Bun.mmap(`${databasePath}-shm`, { shared: true });
  } catch {
    return undefined;
  }
  if (mapped.byteLength < 2 * HEAD_WORDS * Uint32Array.BYTES_PER_ELEMENT) return undefined;
  // The second is written first: who reads a state finds both equal, so nobody has read one that this does not tell of.
  const start = mapped.byteOffset + HEAD_WORDS * Uint32Array.BYTES_PER_ELEMENT;
  const head = new Uint32Array(mapped.buffer, start, HEAD_WORDS);
  const word = (index: number): number => head[index] ?? 0;
  const isThere = ((word(WORD.flags) ^ IS_THERE) & IS_THERE_MASK) === 0;
  if (!isThere || word(WORD.format) !== FORMAT) return undefined;
  return () => word(WORD.changes) * FRAMES_BOUND + (word(WORD.frames) % FRAMES_BOUND);
}
