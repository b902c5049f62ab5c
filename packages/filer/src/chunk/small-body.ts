import { EMPTY_BYTES } from "@kelp/base";

const FIRST_BYTES = 16 * 1024;

/** The beginning of a streamed body, gathered until it ends or proves to be large. */
export class SmallBody {
  readonly #limitBytes: number;
  #buffer = EMPTY_BYTES;
  #filledBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Copies `piece`; false, and nothing taken, when it does not fit below the limit. */
  add(piece: Uint8Array): boolean {
    const sizeBytes = this.#filledBytes + piece.length;
    if (sizeBytes > this.#limitBytes) return false;
    if (sizeBytes > this.#buffer.length) this.#grow(sizeBytes);
    this.#buffer.set(piece, this.#filledBytes);
    this.#filledBytes = sizeBytes;
    return true;
  }

  /** What was gathered; the caller owns it. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#filledBytes);
  }

  #grow(neededBytes: number): void {
    const sizeBytes = Math.max(FIRST_BYTES, neededBytes, this.#buffer.length * 2);
    const larger = new Uint8Array(Math.min(sizeBytes, this.#limitBytes));
    larger.set(this.#buffer.subarray(0, this.#filledBytes));
    this.#buffer = larger;
  }
}
