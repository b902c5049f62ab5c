import { unreachable } from "../assert.ts";
import {
  COLON,
  CR,
  IS_TOKEN,
  IS_VALUE,
  LF,
  SEMICOLON,
  SPACE,
  TAB,
  hexValue,
} from "./characters.ts";
import { Http1Error } from "./http1-error.ts";
import { CHUNK_BYTES_MAX, CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX } from "./limits.ts";

type State =
  | "size"
  | "extension"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer-start"
  | "trailer-name"
  | "trailer-value"
  | "trailer-lf"
  | "end-lf"
  | "done";

/** What of a run of bytes belongs to the body. */
export interface DecodedRun {
  /** Offset behind the last byte that was looked at: the end of the run, or of the body. */
  readonly end: number;
  /** Bytes of content; they were moved together and begin at `start`. */
  readonly start: number;
  readonly sizeBytes: number;
}

/**
 * Undoes the chunked coding (RFC 9112 §7.1), byte by byte where it is framing and in one go where it is content. Extensions and trailers are checked, bounded
 * and dropped.
 */
export class ChunkedDecoder {
  #state: State = "size";
  #leftBytes = 0;
  #hasDigit = false;
  /** Of the size line, or of all trailers. */
  #lineBytes = 0;
  #trailerBytes = 0;

  get isDone(): boolean {
    return this.#state === "done";
  }

  /**
   * Takes bytes from `at`, moving content together in place: `bytes` must be the caller's own. Throws `Http1Error` 400 for what is no
   * chunk, and beyond the bounds.
   */
  decode(bytes: Uint8Array, at: number): DecodedRun {
    let start = at;
    let size = 0;
    let next = at;
    while (next < bytes.length && this.#state !== "done") {
      if (this.#state !== "data") {
        this.#takeFraming(bytes[next++] ?? 0);
        continue;
      }
      const taken = Math.min(this.#leftBytes, bytes.length - next);
      if (size === 0) start = next;
      else bytes.copyWithin(start + size, next, next + taken);
      size += taken;
      next += taken;
      this.#leftBytes -= taken;
      if (this.#leftBytes === 0) this.#state = "data-cr";
    }
    return { end: next, start, sizeBytes: size };
  }

  #takeFraming(byte: number): void {
    switch (this.#state) {
      case "size":
        this.#takeSize(byte);
        return;
      case "extension":
        this.#countLine();
        if (byte === CR) this.#state = "size-lf";
        else if (IS_VALUE[byte] !== 1) throw malformed();
        return;
      case "size-lf":
        this.#expect(byte, LF, this.#leftBytes === 0 ? "trailer-start" : "data");
        return;
      case "data-cr":
        this.#expect(byte, CR, "data-lf");
        return;
      case "data-lf":
        this.#expect(byte, LF, "size");
        this.#hasDigit = false;
        this.#lineBytes = 0;
        return;
      case "trailer-start":
        this.#countTrailer();
        if (byte === CR) this.#state = "end-lf";
        else if (IS_TOKEN[byte] === 1) this.#state = "trailer-name";
        else throw malformed();
        return;
      case "trailer-name":
        this.#countTrailer();
        if (byte === COLON) this.#state = "trailer-value";
        else if (IS_TOKEN[byte] !== 1) throw malformed();
        return;
      case "trailer-value":
        this.#countTrailer();
        if (byte === CR) this.#state = "trailer-lf";
        else if (IS_VALUE[byte] !== 1) throw malformed();
        return;
      case "trailer-lf":
        this.#expect(byte, LF, "trailer-start");
        return;
      case "end-lf":
        this.#expect(byte, LF, "done");
        return;
      case "data":
      case "done":
        throw new Error("content is no framing");
      default:
        unreachable(this.#state);
    }
  }

  #takeSize(byte: number): void {
    this.#countLine();
    const value = hexValue(byte);
    if (value !== -1) {
      this.#hasDigit = true;
      this.#leftBytes = this.#leftBytes * 16 + value;
      if (this.#leftBytes > CHUNK_BYTES_MAX) throw malformed();
      return;
    }
    if (!this.#hasDigit) throw malformed();
    if (byte === CR) this.#state = "size-lf";
    // Blanks before an extension are bad whitespace, which a recipient bears (RFC 9112 §7.1.1).
    else if (byte === SEMICOLON || byte === SPACE || byte === TAB) this.#state = "extension";
    else throw malformed();
  }

  #expect(byte: number, wanted: number, next: State): void {
    if (byte !== wanted) throw malformed();
    this.#state = next;
  }

  #countTrailer(): void {
    if (++this.#trailerBytes > TRAILER_BYTES_MAX) throw malformed();
  }

  #countLine(): void {
    if (++this.#lineBytes > CHUNK_LINE_BYTES_MAX) throw malformed();
  }
}

function malformed(): Http1Error {
  return new Http1Error(400, "The chunks of the body are malformed");
}
