import { type Permit, Semaphore } from "@kelp/base";
import type { HeldShare } from "@kelp/base/http";
import type { ReadNeedle } from "@kelp/wire";
import {
  DOWNLOAD_BUDGET_BYTES,
  EXPANSIONS_AT_ONCE_MAX,
  FREE_NEEDLE_BYTES_MAX,
  INFLATED_BYTES_MAX,
} from "./limits.ts";

/**
 * Bounds the memory of needles on their way out. A read takes its share before its memory, and keeps it until it was
 * sent; those who wait are served in the order they came. Nobody waits for a share while holding another.
 */
export class OutstandingBytes {
  readonly #budget = new Semaphore(DOWNLOAD_BUDGET_BYTES);
  readonly #expansions = new Semaphore(EXPANSIONS_AT_ONCE_MAX);

  /** What one read is given to ask with. The caller must release it. */
  reservation(removed: ReadNeedle["removed"] = "refuse"): Reservation {
    return new Reservation(this.#budget, removed);
  }

  /** Whether somebody waits for room. */
  get isWanted(): boolean {
    return this.#budget.isWanted;
  }

  /** Expanding costs time as well: a few at a time, in the order they came. */
  async expand<Value>(run: () => Promise<Value>): Promise<Value> {
    using _permit = await this.#expansions.acquire();
    return await run();
  }
}

/** The share of one read, none at first. */
export class Reservation implements ReadNeedle, HeldShare {
  readonly removed: "refuse" | "read";
  readonly #budget: Semaphore;
  #permit: Permit | undefined;
  #sizeBytes = 0;

  constructor(budget: Semaphore, removed: "refuse" | "read") {
    this.#budget = budget;
    this.removed = removed;
  }

  /** Whether there is something to give back. */
  get isHeld(): boolean {
    return this.#permit !== undefined;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether others wait for room. */
  isWanted(): boolean {
    return this.#budget.isWanted;
  }

  /** Makes the share large enough; `undefined` when it is. Small needles are not counted. */
  admit(sizeBytes: number): Promise<void> | undefined {
    if (sizeBytes <= FREE_NEEDLE_BYTES_MAX || sizeBytes <= this.#sizeBytes) return undefined;
    this.release();
    const permit = this.#budget.tryAcquire(sizeBytes);
    if (permit === undefined) return this.#wait(sizeBytes);
    this.#hold(permit, sizeBytes);
    return undefined;
  }

  /** Harmless when nothing is held. */
  release(): void {
    this.#permit?.[Symbol.dispose]();
    this.#permit = undefined;
    this.#sizeBytes = 0;
  }

  async #wait(sizeBytes: number): Promise<void> {
    this.#hold(await this.#budget.acquire(sizeBytes), sizeBytes);
  }

  #hold(permit: Permit, sizeBytes: number): void {
    this.#permit = permit;
    this.#sizeBytes = sizeBytes;
  }
}

/** Bytes that count until they are released. */
export interface HeldContent {
  readonly bytes: Uint8Array;
  /** `undefined` where nothing is held. */
  readonly share: Reservation | undefined;
}

/** What compressed content may become, by what it says of itself and at the most: whoever stored it may have lied. */
export function expansionsOf(saidBytes: number): readonly number[] {
  return saidBytes < INFLATED_BYTES_MAX ? [saidBytes, INFLATED_BYTES_MAX] : [INFLATED_BYTES_MAX];
}
