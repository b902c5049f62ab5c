import type { Hashes, SqlDatabase } from "@kelp/base";
import { ContentScan } from "../store/sqlite/content-scan.ts";

/** What reading every row showed. */
export interface EntryScrub {
  readonly checkedCount: number;
  readonly damagedCount: number;
  /** Of what was damaged first, in words that name nothing of users. */
  readonly firstReason: string | undefined;
}

export interface EntryScrubOptions {
  readonly hashes: Hashes;
  /** Called after some milliseconds of work at most, with the rows read since the last call. What it throws ends the scrub. */
  readonly pause: (rowCount: number) => Promise<void>;
}

/** A millisecond or so of work, also with contents of the largest size. */
const ROWS_AT_ONCE = 50;

/**
 * Reads the rows of all entries, former entries and parts against their checksums, beside running work: each some rows are read as they
 * stand then, so that what is written meanwhile is met or not. `openReader` opens a connection of the scrub's own: one that serves
 * may have in memory what a disk has lost since, and would have its cache washed out.
 */
export async function scrubEntries(
  openReader: () => SqlDatabase,
  { hashes, pause }: EntryScrubOptions,
): Promise<EntryScrub> {
  let checkedCount = 0;
  let damagedCount = 0;
  let firstReason: string | undefined;
  const note = (reason: string): void => {
    damagedCount += 1;
    firstReason ??= reason;
  };
  using reader = attempt(openReader, note);
  const rows = attempt(
    () => reader && new ContentScan(reader, hashes).contents(ROWS_AT_ONCE),
    note,
  );
  for (;;) {
    // Behind a page that cannot be read nothing can be reached in order.
    const row = attempt(() => rows?.next(), note);
    if (row === undefined || row.done === true) break;
    checkedCount += 1;
    if (row.value.damage !== undefined) note(row.value.damage);
    if (checkedCount % ROWS_AT_ONCE === 0) await pause(ROWS_AT_ONCE);
  }
  return { checkedCount, damagedCount, firstReason };
}

/** `undefined` when SQLite, or the disk under it, says that pages are damaged. */
function attempt<Value>(work: () => Value, note: (reason: string) => void): Value | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    if (!/^SQLITE_(CORRUPT|IOERR|NOTADB)/.test(String(error.code))) throw error;
    note(error.message);
    return undefined;
  }
}
