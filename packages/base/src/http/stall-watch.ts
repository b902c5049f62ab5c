import { HELD_CHECKS_MAX, STALL_BYTES_MIN, STALL_CHECKS_MAX, STALL_CHECK_MS } from "./limits.ts";
import type { Clock, Timer } from "../clock.ts";

/** What a transfer holds while it lasts. Slowness alone is no fault; keeping others waiting by it is. */
export interface HeldShare {
  readonly sizeBytes: number;
  /** Whether somebody waits for it. */
  isWanted(): boolean;
}

/**
 * Ends transfers that make no progress, or too little of it while they hold what others wait for. One timer looks at all of them, so that a request costs two set operations
 * and no timer of its own.
 */
export class StallWatch implements Disposable {
  readonly #clock: Clock;
  readonly #transfers = new Set<Transfer>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `cut` is called once, when the transfer has stalled. The caller must dispose the transfer when it is over. */
  watch(cut: () => void, share?: HeldShare): Transfer {
    const transfer = new Transfer(cut, this.#transfers, share);
    this.#transfers.add(transfer);
    this.#timer ??= this.#clock.schedule(STALL_CHECK_MS, () => this.#check());
    return transfer;
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#transfers.clear();
  }

  #check(): void {
    this.#timer = undefined;
    for (const transfer of this.#transfers) transfer.check();
    if (this.#transfers.size === 0) return;
    this.#timer = this.#clock.schedule(STALL_CHECK_MS, () => this.#check());
  }
}

/** One body on its way in or out. */
export class Transfer implements Disposable {
  readonly #cut: () => void;
  readonly #owner: Set<Transfer>;
  readonly #share: HeldShare | undefined;
  #movedBytes = 0;
  #seenBytes = 0;
  #idleChecks = 0;
  /** While it is not the other side's turn to move bytes, nothing is owed. */
  #isWaiting = true;

  constructor(cut: () => void, owner: Set<Transfer>, share: HeldShare | undefined) {
    this.#cut = cut;
    this.#owner = owner;
    this.#share = share;
  }

  moved(sizeBytes: number): void {
    this.#movedBytes += sizeBytes;
  }

  /** Says whether the client is the one to act now. */
  setWaiting(state: "on-client" | "on-us"): void {
    this.#isWaiting = state === "on-client";
  }

  check(): void {
    const progress = this.#movedBytes - this.#seenBytes;
    this.#seenBytes = this.#movedBytes;
    this.#idleChecks = !this.#isWaiting || progress >= this.#owedBytes() ? 0 : this.#idleChecks + 1;
    if (this.#idleChecks < STALL_CHECKS_MAX) return;
    this[Symbol.dispose]();
    this.#cut();
  }

  #owedBytes(): number {
    if (this.#share?.isWanted() !== true) return STALL_BYTES_MIN;
    return Math.max(STALL_BYTES_MIN, this.#share.sizeBytes / HELD_CHECKS_MAX);
  }

  [Symbol.dispose](): void {
    this.#owner.delete(this);
  }
}
