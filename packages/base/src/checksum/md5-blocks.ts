import { assert } from "../assert.ts";
import { moveMd5Lanes } from "./md5-kernels.ts";
import { MD5_BLOCK_BYTES, MD5_INITIAL_STATE } from "./md5-scalar.ts";

/** The length of the body in bits takes the last 8 bytes of the last block. */
const LENGTH_BYTES = 8;

/**
 * The MD5 of one body of which someone else moves the state: what `take` returns is to be moved over before the next call.
 * It keeps what fills no block.
 */
export class Md5Blocks {
  readonly state = Int32Array.from(MD5_INITIAL_STATE);
  readonly #begun = new Uint8Array(MD5_BLOCK_BYTES);
  #begunBytes = 0;
  #sizeBytes = 0;

  /** The whole blocks in `bytes`, as a view of them. */
  take(bytes: Uint8Array): Uint8Array {
    this.#sizeBytes += bytes.length;
    let from = 0;
    if (this.#begunBytes > 0) {
      from = Math.min(bytes.length, MD5_BLOCK_BYTES - this.#begunBytes);
      this.#begun.set(bytes.subarray(0, from), this.#begunBytes);
      this.#begunBytes += from;
      if (this.#begunBytes < MD5_BLOCK_BYTES) return bytes.subarray(0, 0);
      moveMd5Lanes([{ state: this.state, bytes: this.#begun }]);
    }
    const until = bytes.length - ((bytes.length - from) % MD5_BLOCK_BYTES);
    this.#begun.set(bytes.subarray(until));
    this.#begunBytes = bytes.length - until;
    return bytes.subarray(from, until);
  }

  /** The digest of all that was taken. Once. */
  digest(): Uint8Array {
    const paddedBytes = this.#begunBytes + 1 + LENGTH_BYTES;
    const last = new Uint8Array(Math.ceil(paddedBytes / MD5_BLOCK_BYTES) * MD5_BLOCK_BYTES);
    last.set(this.#begun.subarray(0, this.#begunBytes));
    last[this.#begunBytes] = 0x80;
    assert(Number.isSafeInteger(8 * this.#sizeBytes), "the length in bits is a whole number");
    const view = new DataView(last.buffer);
    view.setBigUint64(last.length - LENGTH_BYTES, 8n * BigInt(this.#sizeBytes), true);
    moveMd5Lanes([{ state: this.state, bytes: last }]);
    const digest = new Uint8Array(4 * this.state.length);
    const digestView = new DataView(digest.buffer);
    for (const [index, word] of this.state.entries()) digestView.setInt32(4 * index, word, true);
    return digest;
  }
}
