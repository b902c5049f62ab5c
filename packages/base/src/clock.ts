/** Time as a port, so that a simulator can own it. Only `platform` reads the real clock. */
export interface Clock {
  /** Milliseconds since the Unix epoch (wall clock; may step backwards). */
  nowMs(): number;
  /** Nanoseconds since the Unix epoch. */
  nowNs(): bigint;
  /** Milliseconds from an arbitrary start; never goes backwards. For measuring and deadlines. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`. */
  schedule(delayMs: number, run: () => void): Timer;
  /** Resolves after `delayMs`, rejects with the signal's reason when aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** A pending call. Cancelling twice, or after it ran, is harmless. */
export interface Timer {
  cancel(): void;
}
