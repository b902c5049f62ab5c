import { assert } from "./assert.ts";

/** A counted bound with first-come order. `weight` lets one bound count bytes as well as calls. */
export class Semaphore {
  readonly capacity: number;
  #used = 0;
  readonly #waiting: { weight: number; wake: () => void }[] = [];

  constructor(capacity: number) {
    assert(capacity > 0, "semaphore capacity is positive");
    this.capacity = capacity;
  }

  get used(): number {
    return this.#used;
  }

  /** How many wait for room. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Whether somebody waits for room. */
  get isWanted(): boolean {
    return this.#waiting.length > 0;
  }

  /** Waits for room. A weight above the capacity is clamped, so that one huge request can still pass alone. */
  async acquire(weight = 1): Promise<Permit> {
    const clamped = Math.min(weight, this.capacity);
    if (this.#waiting.length > 0 || this.#used + clamped > this.capacity) {
      await new Promise<void>((wake) => this.#waiting.push({ weight: clamped, wake }));
    } else {
      this.#used += clamped;
    }
    return new Permit(() => this.#release(clamped));
  }

  /** Room at once, or `undefined`; never before those who wait. */
  tryAcquire(weight = 1): Permit | undefined {
    const clamped = Math.min(weight, this.capacity);
    if (this.#waiting.length > 0 || this.#used + clamped > this.capacity) return undefined;
    this.#used += clamped;
    return new Permit(() => this.#release(clamped));
  }

  #release(weight: number): void {
    this.#used -= weight;
    assert(this.#used >= 0, "semaphore released more than acquired");
    while (this.#waiting.length > 0) {
      const next = this.#waiting[0];
      if (next === undefined || this.#used + next.weight > this.capacity) return;
      this.#waiting.shift();
      this.#used += next.weight;
      next.wake();
    }
  }
}

/** Held room of a `Semaphore`. Disposing twice is harmless. */
export class Permit implements Disposable {
  #release: (() => void) | undefined;

  constructor(release: () => void) {
    this.#release = release;
  }

  [Symbol.dispose](): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }
}
