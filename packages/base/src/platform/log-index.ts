import { statSync } from "node:fs";
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

/** The index of one log, as it was when it was mapped. */
export interface LogIndex {
  /** Which state of the database is the newest, without a system call. */
  readonly version: () => number;
  /** Whether it is still the one that those use who open the database now. */
  isInPlace(): boolean;
}

/**
 * `undefined` where the index cannot be looked at, or is not as it is known here.
 *
 * The caller must map it before this process has the database open: to close any descriptor of a file, as mapping does, lets go all of the
 * process's locks on it, and without its lock on the index a process is not noticed by the next that opens the database, which then makes the index
 * anew under its feet. It must look whether the index is in place after it has read from the database, by a connection that stays open as long
 * as versions are asked for: the index is neither made anew nor removed then.
 */
export function mapLogIndex(databasePath: string): LogIndex | undefined {
  const path = `${databasePath}-shm`;
  let inode: number;
  let mapped: Uint8Array;
  try {
    inode = statSync(path).ino;
    mapped = Bun.mmap(path, { shared: true });
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
  return {
    version: () => word(WORD.changes) * FRAMES_BOUND + (word(WORD.frames) % FRAMES_BOUND),
    isInPlace: () => statSync(path, { throwIfNoEntry: false })?.ino === inode,
  };
}
