import { type Clock, must } from "@kelp/base";
import type { AccessKeyId } from "@kelp/wire";

/** Wrong secrets in a row before a key has to wait. */
const FAILURES_MAX = 10;
/** One more try comes back in this time. */
const FORGIVE_EVERY_MS = 30_000;
/** Keys watched at once; the one that failed longest ago makes room. */
const KEYS_MAX = 1024;

interface Failures {
  /** Fractions are forgiveness under way. */
  readonly count: number;
  readonly atMs: number;
}

/**
 * Slows down guessing: after `FAILURES_MAX` wrong secrets a key can be tried every `FORGIVE_EVERY_MS`, right or wrong.
 * Only keys that exist are counted, so nobody can fill the table with invented ones. It is not written down: a
 * restart forgives.
 */
export class SignInLimit {
  readonly #clock: Clock;
  readonly #failures = new Map<AccessKeyId, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isExhausted(id: AccessKeyId): boolean {
    return this.#countNow(id) > FAILURES_MAX - 1;
  }

  failed(id: AccessKeyId): void {
    const count = this.#countNow(id) + 1;
    this.#failures.delete(id);
    if (this.#failures.size >= KEYS_MAX) {
      this.#failures.delete(must(this.#failures.keys().next().value, "a full table has a first"));
    }
    this.#failures.set(id, { count, atMs: this.#clock.monotonicMs() });
  }

  succeeded(id: AccessKeyId): void {
    this.#failures.delete(id);
  }

  #countNow(id: AccessKeyId): number {
    const known = this.#failures.get(id);
    if (known === undefined) return 0;
    return Math.max(0, known.count - (this.#clock.monotonicMs() - known.atMs) / FORGIVE_EVERY_MS);
  }
}
