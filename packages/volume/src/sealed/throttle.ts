import type { Clock } from "@kelp/base";
import type { JobOptions } from "@kelp/wire";
import { JOB_BYTES_PER_SEC_DEFAULT } from "../limits.ts";

/** Keeps a job to so many bytes a second, and ends it when its signal says so. */
export class Throttle {
  readonly #clock: Pick<Clock, "monotonicMs" | "sleep">;
  readonly #bytesPerMs: number;
  readonly #signal: AbortSignal | undefined;
  /** When what was passed so far should have been done. */
  #dueMs: number;

  constructor(clock: Pick<Clock, "monotonicMs" | "sleep">, options: JobOptions = {}) {
    this.#clock = clock;
    this.#bytesPerMs = (options.bytesPerSec ?? JOB_BYTES_PER_SEC_DEFAULT) / 1000;
    this.#signal = options.signal;
    this.#dueMs = clock.monotonicMs();
  }

  /** Waits until `bytes` more are due. Throws the signal's reason when it is aborted. */
  async pass(bytes: number): Promise<void> {
    this.#signal?.throwIfAborted();
    const nowMs = this.#clock.monotonicMs();
    // Time that was not used is lost, so that no burst follows a pause.
    this.#dueMs = Math.max(this.#dueMs, nowMs) + bytes / this.#bytesPerMs;
    const waitMs = this.#dueMs - nowMs;
    if (waitMs >= WAIT_MS_MIN) await this.#clock.sleep(waitMs, this.#signal);
  }
}

/** Shorter waits than a timer can keep are saved up. */
const WAIT_MS_MIN = 5;
