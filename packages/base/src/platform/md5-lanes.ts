import { availableParallelism } from "node:os";
import { assert, must } from "../assert.ts";
import { MD5_LANES_MAX, MD5_STATE_WORDS, Md5Blocks, moveMd5Lanes } from "../checksum/index.ts";
import type { HasherApart } from "../hash.ts";
import { Md5Thread } from "./md5-thread-handle.ts";

/** Of bodies side by side each gives as much as the shortest, but at least this: a remainder may find another neighbour. */
const SLICE_BYTES_MIN = 256 * 1024;
/** Bodies that came side by side come so again: how many batches long that is believed. */
const BATCHES_REMEMBERED = 16;
/** Less than this is hashed here: asking the thread takes longer. */
const APART_BYTES_MIN = 32 * 1024;

/**
 * The MD5 of long bodies, several at once, on one thread. Side by side, four bodies take little longer than one, so that bodies
 * wait for one another: until as many have something to hash as there are now, or were lately, at once, as far as there are
 * lanes; or until someone hurries. A body that is alone waits for nobody.
 *
 * States stay here, and a batch takes them along: what was given up leaves nothing behind on the thread.
 */
export class Md5Lanes {
  readonly #hasThread: boolean;
  /** All that are not disposed of; those that had their turn go to the end. */
  readonly #open = new Set<LaneHasher>();
  /** The most that were open at once, before each of the last batches. */
  #openCounts: number[] = [];
  #openCountMax = 0;
  #thread: Md5Thread | undefined;
  #isBusy = false;

  /** Where there is one processor, there is no thread. */
  constructor(processorCount = availableParallelism()) {
    this.#hasThread = processorCount > 1;
  }

  /** `undefined` where there is no thread. */
  create(): HasherApart | undefined {
    if (!this.#hasThread) return undefined;
    const hasher = new LaneHasher({
      onChange: () => this.#next(),
      onEnd: () => {
        this.#open.delete(hasher);
        this.#next();
      },
    });
    this.#open.add(hasher);
    this.#openCountMax = Math.max(this.#openCountMax, this.#open.size);
    return hasher;
  }

  /** Lets go of the memory of bodies that the thread was lent. To be called now and then: what is hashed meanwhile is sent anew. */
  forget(): void {
    this.#thread?.forget();
  }

  /** Ends the thread. */
  async stop(): Promise<void> {
    await this.#thread?.stop();
  }

  #next(): void {
    if (this.#isBusy) return;
    const waiting = [...this.#open].filter((hasher) => hasher.isWaiting);
    const lanesWanted = Math.min(MD5_LANES_MAX, Math.max(this.#openCountMax, ...this.#openCounts));
    const isDue = waiting.length >= lanesWanted || waiting.some((hasher) => hasher.isHurried);
    if (waiting.length === 0 || !isDue) return;
    const hurried = waiting.filter((hasher) => hasher.isHurried);
    const others = waiting.filter((hasher) => !hasher.isHurried);
    this.#openCounts = [this.#openCountMax, ...this.#openCounts].slice(0, BATCHES_REMEMBERED);
    this.#openCountMax = this.#open.size;
    this.#isBusy = true;
    void this.#serve([...hurried, ...others].slice(0, MD5_LANES_MAX));
  }

  async #serve(hashers: readonly LaneHasher[]): Promise<void> {
    await this.#move(hashers);
    this.#isBusy = false;
    for (const hasher of hashers) if (this.#open.delete(hasher)) this.#open.add(hasher);
    this.#next();
  }

  /** Never rejects: each hasher tells what failed. */
  async #move(hashers: readonly LaneHasher[]): Promise<void> {
    const shortestBytes = Math.min(...hashers.map((hasher) => hasher.firstBytes));
    const sliceBytes = Math.max(shortestBytes, SLICE_BYTES_MIN);
    const pieces = hashers.map((hasher) => hasher.begin(sliceBytes));
    try {
      const states = await this.#moved(hashers, pieces);
      for (const [lane, hasher] of hashers.entries()) {
        hasher.end(states.subarray(lane * MD5_STATE_WORDS, (lane + 1) * MD5_STATE_WORDS));
      }
    } catch (error) {
      for (const hasher of hashers) hasher.fail(error);
    }
  }

  #moved(
    hashers: readonly LaneHasher[],
    pieces: readonly Uint8Array[],
  ): Int32Array | Promise<Int32Array> {
    const states = new Int32Array(hashers.length * MD5_STATE_WORDS);
    for (const [lane, { state }] of hashers.entries()) states.set(state, lane * MD5_STATE_WORDS);
    let totalBytes = 0;
    for (const piece of pieces) totalBytes += piece.length;
    if (totalBytes >= APART_BYTES_MIN) {
      if (this.#thread === undefined || this.#thread.isFailed) this.#thread = new Md5Thread();
      return this.#thread.move({ states, pieces });
    }
    moveMd5Lanes(
      pieces.map((bytes, lane) => ({
        bytes,
        state: states.subarray(lane * MD5_STATE_WORDS, (lane + 1) * MD5_STATE_WORDS),
      })),
    );
    return states;
  }
}

interface Piece {
  /** What is left of it. */
  bytes: Uint8Array;
  isHurried: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One body. Its pieces wait here until the lanes take them, in order. */
class LaneHasher implements HasherApart {
  readonly #blocks = new Md5Blocks();
  readonly #onChange: () => void;
  readonly #onEnd: () => void;
  #pieces: Piece[] = [];
  #last: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #takenBytes = 0;
  #isEnded = false;

  constructor(lanes: { readonly onChange: () => void; readonly onEnd: () => void }) {
    this.#onChange = lanes.onChange;
    this.#onEnd = lanes.onEnd;
  }

  get isWaiting(): boolean {
    return this.#pieces.length > 0;
  }

  get isHurried(): boolean {
    return this.#pieces.some((piece) => piece.isHurried);
  }

  get firstBytes(): number {
    return must(this.#pieces[0]).bytes.length;
  }

  get state(): Int32Array {
    return this.#blocks.state;
  }

  update(bytes: Uint8Array): Promise<void> {
    assert(!this.#isEnded, "the hasher is not disposed of");
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    this.#last = new Promise((resolve, reject) => {
      this.#pieces.push({ bytes, isHurried: false, resolve, reject });
    });
    this.#onChange();
    return this.#last;
  }

  hurry(): void {
    for (const piece of this.#pieces) piece.isHurried = true;
    this.#onChange();
  }

  async digest(): Promise<Uint8Array> {
    this.hurry();
    await this.#last;
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#blocks.digest();
  }

  /** Takes up to so many bytes of the first piece to the lanes; returns the whole blocks among them. */
  begin(sizeBytes: number): Uint8Array {
    const { bytes } = must(this.#pieces[0]);
    this.#takenBytes = Math.min(sizeBytes, bytes.length);
    return this.#blocks.take(bytes.subarray(0, this.#takenBytes));
  }

  end(state: Int32Array): void {
    this.#blocks.state.set(state);
    const first = must(this.#pieces[0]);
    first.bytes = first.bytes.subarray(this.#takenBytes);
    this.#takenBytes = 0;
    if (first.bytes.length > 0 && !this.#isEnded) return;
    this.#pieces.shift();
    first.resolve();
  }

  fail(error: unknown): void {
    this.#failure = { error };
    const pieces = this.#pieces;
    this.#pieces = [];
    for (const { reject } of pieces) reject(error);
  }

  [Symbol.dispose](): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#failure ??= { error: new Error("Cannot hash: the hash was given up") };
    const isBegun = this.#takenBytes > 0;
    for (const { resolve } of this.#pieces.splice(isBegun ? 1 : 0)) resolve();
    this.#onEnd();
  }
}
