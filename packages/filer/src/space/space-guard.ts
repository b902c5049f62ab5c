import type { Clock, Disk } from "@kelp/base";
import { FilerError } from "../errors.ts";

/** How long a measurement is believed. */
const BELIEVED_MS = 1000;
/** Metadata, logs and padding that come with content, for each byte of it and for each body. Generous on purpose. */
const OVERHEAD_FACTOR = 3;
const OVERHEAD_BYTES = 16 * 1024;

export interface SpaceGuardOptions {
  readonly disk: Disk;
  /** A folder on the file system that fills. */
  readonly folder: string;
  readonly clock: Clock;
  /** What new content leaves free. */
  readonly reserveBytes: number;
}

/**
 * Keeps a reserve of free space that new content may not take, so that on a disk that is as good as full deletes, renames and the
 * store's own bookkeeping still work, and a writer is told at once instead of in the middle of a transaction.
 *
 * Invariant: what was admitted since the last measurement is counted as taken, so a fast writer cannot run past the reserve
 * between two measurements.
 */
export class SpaceGuard {
  readonly #options: SpaceGuardOptions;
  #roomBytes = 0;
  #measuredMs = Number.NEGATIVE_INFINITY;
  #measuring: Promise<void> | undefined;

  constructor(options: SpaceGuardOptions) {
    this.#options = options;
  }

  /**
   * Admits content of `sizeBytes`, or throws `FilerError` `out-of-space`. `undefined` when it was admitted without measuring:
   * the usual case, which costs one look at the clock.
   */
  admit(sizeBytes: number): Promise<void> | undefined {
    const neededBytes = sizeBytes * OVERHEAD_FACTOR + OVERHEAD_BYTES;
    const isFresh = this.#options.clock.monotonicMs() - this.#measuredMs < BELIEVED_MS;
    if (isFresh && this.#roomBytes >= neededBytes) {
      this.#roomBytes -= neededBytes;
      return undefined;
    }
    return this.#admitMeasured(sizeBytes);
  }

  async #admitMeasured(sizeBytes: number): Promise<void> {
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = undefined;
    });
    await this.#measuring;
    // With little room left the overhead is not presumed: the last measured bytes are given out exactly.
    if (this.#roomBytes < sizeBytes) {
      throw new FilerError(
        "out-of-space",
        `Cannot store ${sizeBytes} bytes: ${this.#roomBytes} bytes are free beyond the reserve`,
      );
    }
    this.#roomBytes -= sizeBytes;
  }

  async #measure(): Promise<void> {
    const { disk, folder, clock, reserveBytes } = this.#options;
    const { availableBytes } = await disk.space(folder);
    this.#roomBytes = Math.max(0, availableBytes - reserveBytes);
    this.#measuredMs = clock.monotonicMs();
  }
}
