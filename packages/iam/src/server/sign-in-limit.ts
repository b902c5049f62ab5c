import { type Clock, must } from "@kelp/base";
import type { AccessKeyId } from "@kelp/wire";

/** Wrong secrets of one guesser before the next ones have to wait. */
const FAILURES_MAX = 10;
/** One of them is forgiven in this time. */
const FORGIVE_EVERY_MS = 30_000;
/** Whoever has to wait is looked at one after another, so far apart: some ten guesses a second, however many are sent. */
const ATTEMPT_EVERY_MS = 100;
/** Attempts of one guesser that wait; further ones are refused. Few of those that a door serves at once, since each holds a place. */
const WAITING_MAX = 64;
/** Guessers watched at once; the one that failed longest ago makes room. */
const GUESSERS_MAX = 4096;

interface Guesser {
  /** Fractions are forgiveness under way. */
  readonly count: number;
  readonly atMs: number;
  /** When the last of those who wait is looked at. */
  nextMs: number;
}

/**
 * Slows down guessing without locking anybody out: wrong secrets are counted for a key and the address that sent them. After
 * `FAILURES_MAX` of them attempts of that pair, right or wrong, are looked at `ATTEMPT_EVERY_MS` apart, in the order they came: a
 * guesser gets no faster by asking more, and a holder of the key waits at the same address, and nowhere else. Only keys that
 * exist are counted, so nobody can fill the table with invented ones. It is not written down: a restart forgives.
 */
export class SignInLimit {
  readonly #clock: Clock;
  readonly #guessers = new Map<string, Guesser>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When an attempt may be looked at: now (`undefined`), when the promise resolves, or not at all. */
  turn(id: AccessKeyId, address: string): Promise<void> | "too-many" | undefined {
    const guesser = this.#guessers.get(nameOf(id, address));
    if (guesser === undefined || this.#countNow(guesser) <= FAILURES_MAX - 1) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const turnMs = Math.max(guesser.nextMs, nowMs) + ATTEMPT_EVERY_MS;
    if (turnMs - nowMs > WAITING_MAX * ATTEMPT_EVERY_MS) return "too-many";
    guesser.nextMs = turnMs;
    return this.#clock.sleep(turnMs - nowMs);
  }

  /** The secret was wrong. */
  failed(id: AccessKeyId, address: string): void {
    const name = nameOf(id, address);
    const known = this.#guessers.get(name);
    const atMs = this.#clock.monotonicMs();
    const count = known === undefined ? 1 : this.#countNow(known) + 1;
    this.#guessers.delete(name);
    if (this.#guessers.size >= GUESSERS_MAX) {
      this.#guessers.delete(must(this.#guessers.keys().next().value, "a full table has a first"));
    }
    // Waiting for the end of a long series would be worse than what it is worth.
    this.#guessers.set(name, {
      count: Math.min(count, 2 * FAILURES_MAX),
      atMs,
      nextMs: known?.nextMs ?? atMs,
    });
  }

  #countNow({ count, atMs }: Guesser): number {
    return Math.max(0, count - (this.#clock.monotonicMs() - atMs) / FORGIVE_EVERY_MS);
  }
}

/** Whoever has one address of an IPv6 network usually has all of it (RFC 4291 §2.5.4: 64 bits). */
function nameOf(id: AccessKeyId, address: string): string {
  const isShort = !address.includes(":") || address.startsWith("::");
  const network = isShort ? address : address.split(":").slice(0, 4).join(":");
  return `${id} ${network}`;
}
