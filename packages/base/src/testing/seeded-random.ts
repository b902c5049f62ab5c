import type { Random } from "../random.ts";
import { assert } from "../assert.ts";

/** Randomness that a seed repeats (splitmix32), for simulations. Never for secrets. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  uint32(): number {
    this.#state = (this.#state + 0x9e37_79b9) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 16), 0x21f0_aaad);
    value = Math.imul(value ^ (value >>> 15), 0x735a_2d97);
    return (value ^ (value >>> 15)) >>> 0;
  }

  bytes(count: number): Uint8Array {
    const words = new Uint32Array(Math.ceil(count / 4));
    for (let index = 0; index < words.length; index += 1) words[index] = this.uint32();
    return new Uint8Array(words.buffer, 0, count);
  }

  uuid(): string {
    const text = Buffer.from(this.bytes(16)).toString("hex");
    const variant = "89ab"[this.below(4)];
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-${variant}${text.slice(17, 20)}-${text.slice(20)}`;
  }

  /** 0 … count − 1. */
  below(count: number): number {
    assert(count > 0, "a choice has something to choose from");
    return Math.floor((this.uint32() / 0x1_0000_0000) * count);
  }

  chance(probability: number): boolean {
    return this.uint32() / 0x1_0000_0000 < probability;
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.below(values.length)];
    assert(value !== undefined, "a choice has something to choose from");
    return value;
  }

  /** A generator of its own that follows from this one's state and `label`. */
  fork(label: number): SeededRandom {
    return new SeededRandom(Math.imul(this.uint32() ^ label, 0x85eb_ca6b));
  }
}
