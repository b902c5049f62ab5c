import { assert } from "../assert.ts";
import { EMPTY_BYTES, joinBytes } from "../bytes.ts";
import type { BodyFraming } from "./body-framing.ts";
import { BodyCutError } from "./http1-error.ts";
import { UNREAD_PIECES_BYTES_MAX } from "./limits.ts";

/** What a body asks of its connection. */
export interface BodySource {
  /** More is wanted, or for the moment no more. */
  setReading(state: "on" | "off"): void;
  sendContinue(): void;
}

/** Pieces below this are not worth a call. */
const FREED_PIECE_BYTES_MIN = 64 * 1024;

interface Piece {
  readonly bytes: Uint8Array;
  /** Nothing else that was received lies in its memory. */
  readonly isAlone: boolean;
}

/**
 * The body of one request. Its pieces wait here until somebody reads them, up to a bound beyond which the socket is paused. Who asked to be
 * told `100 Continue` is told with the first read.
 */
export class IncomingBody {
  readonly #framing: BodyFraming;
  readonly #source: BodySource;
  #pieces: Piece[] = [];
  #waitingBytes = 0;
  /** Of a known length, what has not come yet. */
  #leftBytes: number;
  #isComplete: boolean;
  #isContinueOwed: boolean;
  #isDropped = false;
  #isPaused = false;
  #failure: Error | undefined;
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #lent: Piece | undefined;

  constructor(framing: BodyFraming, source: BodySource, isContinueOwed: boolean) {
    this.#framing = framing;
    this.#source = source;
    this.#leftBytes = framing.kind === "length" ? framing.sizeBytes : 0;
    this.#isComplete = framing.kind !== "chunked" && this.#leftBytes === 0;
    this.#isContinueOwed = isContinueOwed;
  }

  /** As announced; `undefined` for a body in chunks. */
  get lengthBytes(): number | undefined {
    if (this.#framing.kind === "length") return this.#framing.sizeBytes;
    return this.#framing.kind === "none" ? 0 : undefined;
  }

  /** Whether the request says anything of a length. */
  get isAnnounced(): boolean {
    return this.#framing.kind !== "none";
  }

  /** Whether its last byte has come, read or not. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Bytes that are still to come; infinite where nobody knows. */
  get leftBytes(): number {
    if (this.#isComplete) return 0;
    return this.#framing.kind === "chunked" ? Number.POSITIVE_INFINITY : this.#leftBytes;
  }

  get isContinueOwed(): boolean {
    return this.#isContinueOwed;
  }

  sendContinue(): void {
    if (!this.#isContinueOwed) return;
    this.#isContinueOwed = false;
    this.#source.sendContinue();
  }

  /**
   * The next piece, at once where it is there, or `undefined` at the end. It is lent until the next `read`. Rejects or throws with
   * `BodyCutError`, or what `fail` was given. One reader at a time.
   */
  read(): Promise<Uint8Array | undefined> | Uint8Array | undefined {
    assert(this.#reader === undefined, "a body has one reader");
    this.#freeLent();
    this.sendContinue();
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#waitingBytes -= piece.bytes.length;
      this.#lent = piece;
      return piece.bytes;
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isComplete) return undefined;
    this.#setPaused(false);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** Everything, the reader's to keep, when it has come already; else `undefined`, and nothing is taken. */
  takeWhole(): Uint8Array | undefined {
    if (!this.#isComplete || this.#failure !== undefined) return undefined;
    this.sendContinue();
    if (this.#pieces.length === 0) return EMPTY_BYTES;
    const whole = joinBytes(this.#pieces.map(({ bytes }) => bytes));
    this.#pieces = [];
    return whole;
  }

  /** The last piece that was read is the reader's to keep. */
  keep(): void {
    this.#lent = undefined;
  }

  /** Who reads, now or later, fails with this. Pieces that came before are read first, except by who already waits. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.reject(error);
  }

  /** Nobody reads any more: what is there and what comes is dropped. */
  drop(): void {
    this.#isDropped = true;
    this.#pieces = [];
    this.#lent = undefined;
    this.#setPaused(false);
  }

  /** Of the connection: content came. Of a known length it takes no more than is left, and returns how much that was. */
  push(bytes: Uint8Array, isAlone: boolean): void {
    if (this.#framing.kind === "length") {
      assert(bytes.length <= this.#leftBytes, "what is left of a body bounds what comes");
      this.#leftBytes -= bytes.length;
      if (this.#leftBytes === 0) this.#isComplete = true;
    }
    if (bytes.length === 0 || this.#isDropped) return;
    const reader = this.#reader;
    const piece = { bytes, isAlone };
    if (reader === undefined) {
      this.#pieces.push(piece);
      this.#waitingBytes += bytes.length;
      if (this.#waitingBytes > UNREAD_PIECES_BYTES_MAX && !this.#isComplete) this.#setPaused(true);
      return;
    }
    this.#reader = undefined;
    this.#lent = piece;
    // Nothing more until it is given back: who takes long over one piece is not to have a second one behind it.
    if (bytes.length > UNREAD_PIECES_BYTES_MAX && !this.#isComplete) this.#setPaused(true);
    reader.resolve(bytes);
  }

  /** Of the connection: the last chunk came. */
  complete(): void {
    this.#isComplete = true;
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve(undefined);
  }

  /** Of the connection: nothing more comes. */
  cut(cause?: unknown): void {
    if (!this.#isComplete) this.fail(new BodyCutError({ cause }));
  }

  /**
   * Gives the memory of a piece back now. A socket makes up to half a megabyte of fresh memory per piece; left to the collector, which waits
   * until all of it is twice what is in use, 16 uploads hold some 200 MB of dead pieces.
   */
  #freeLent(): void {
    const lent = this.#lent;
    this.#lent = undefined;
    if (lent?.isAlone !== true || lent.bytes.length < FREED_PIECE_BYTES_MIN) return;
    const { buffer } = lent.bytes;
    // What was moved elsewhere leaves its first place empty: here nothing is moved on.
    if (buffer instanceof ArrayBuffer) buffer.transfer(0);
  }

  #setPaused(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#source.setReading(isPaused ? "off" : "on");
  }
}
