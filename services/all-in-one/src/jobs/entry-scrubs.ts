import type { Clock, Foreground, Hashes, Log, SqlDatabase } from "@kelp/base";
import { scrubEntries } from "@kelp/filer";
import { JobPace } from "@kelp/volume";

export interface EntryScrubsOptions {
  /** Opens the database of the filer for reading, on a connection of its own. */
  readonly openReader: () => SqlDatabase;
  /** From the end of one scrub to the start of the next. */
  readonly cycleMs: number;
  readonly clock: Clock;
  readonly hashes: Hashes;
  readonly foreground: Pick<Foreground, "load">;
  readonly log: Log;
}

/** What scrubs of entries showed since the start. */
export interface EntryFigures {
  readonly scrubCount: number;
  /** Of the newest one. */
  readonly damagedCount: number;
}

/**
 * Reads the rows of all entries once in a cycle, as volumes are read: what is small stands in its row, and nobody might ask for it for
 * years. When the last one was is not kept: the first comes after each start.
 */
export class EntryScrubs {
  readonly #options: EntryScrubsOptions;
  #finishedMs: number | undefined;
  #scrubCount = 0;
  #damagedCount = 0;

  constructor(options: EntryScrubsOptions) {
    this.#options = options;
  }

  figures(): EntryFigures {
    return { scrubCount: this.#scrubCount, damagedCount: this.#damagedCount };
  }

  /** Scrubs when it is time. Rejects with the signal's reason when that aborts. */
  async round(signal: AbortSignal): Promise<void> {
    const { openReader, cycleMs, clock, hashes, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#finishedMs !== undefined && nowMs - this.#finishedMs < cycleMs) return;
    const pace = new JobPace(this.#options, { bytesPerSec: Number.POSITIVE_INFINITY, signal });
    const pause = (): Promise<void> => pace.spend(0);
    const { checkedCount, damagedCount, firstReason } = await scrubEntries(openReader, {
      hashes,
      pause,
    });
    this.#finishedMs = clock.monotonicMs();
    this.#scrubCount += 1;
    this.#damagedCount = damagedCount;
    if (damagedCount === 0) return;
    log.error("entries are damaged; kelp fsck names them, with the server stopped", {
      checked_count: checkedCount,
      damaged_count: damagedCount,
      reason: firstReason,
    });
  }
}
