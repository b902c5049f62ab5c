import { assert } from "@kelp/base";
import { WRITES_WAITING_MAX, WRITE_BYTES_CROWDED, WRITE_BYTES_MAX } from "../limits.ts";

/**
 * How much is given to a socket at once. What it does not take is copied and held until its reader does, so the size
 * falls when many are slow: the copies of all together stay within `WRITES_WAITING_MAX × WRITE_BYTES_MAX` and a small
 * write for each further one.
 */
export class WaitingWrites {
  #count = 0;

  get writeBytes(): number {
    return this.#count < WRITES_WAITING_MAX ? WRITE_BYTES_MAX : WRITE_BYTES_CROWDED;
  }

  began(): void {
    this.#count++;
  }

  ended(): void {
    assert(this.#count > 0, "a write that ends has begun");
    this.#count--;
  }
}

/** Memory is the process's, and so is this. */
export const waitingWrites = new WaitingWrites();
