import { unreachable } from "../assert.ts";
import { COLON, CR, IS_TOKEN, IS_VALUE, LF, SEMICOLON, hexValue } from "./characters.ts";
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

/**
 * Names, alone or with a value. Of the blanks that RFC 9112 §7.1.1 calls bad and has a recipient bear none is borne: where a chunk's line
 * ends is what readers have disagreed about.
 */
const EXTENSION =
  /^(?:;[!#$%&'*+\-.^_`|~\w]+(?:=(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[^"\\\u0080-\u00ff]|\\[^\u0080-\u00ff])*"))?)+$/;

const FRAMING_NAMES: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);

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
  #extension = "";
  #trailerBytes = 0;
  #trailerName = "";

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
        if (byte === CR) this.#endExtension();
        else if (IS_VALUE[byte] === 1) this.#extension += String.fromCharCode(byte);
        else throw malformed();
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
        else this.#takeTrailerName("", byte);
        return;
      case "trailer-name":
        this.#countTrailer();
        if (byte === COLON) this.#endTrailerName();
        else this.#takeTrailerName(this.#trailerName, byte);
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
    else if (byte === SEMICOLON) {
      this.#extension = ";";
      this.#state = "extension";
    } else throw malformed();
  }

  #endExtension(): void {
    if (!EXTENSION.test(this.#extension)) throw malformed();
    this.#state = "size-lf";
  }

  #takeTrailerName(begun: string, byte: number): void {
    if (IS_TOKEN[byte] !== 1) throw malformed();
    this.#trailerName = begun + String.fromCharCode(byte);
    this.#state = "trailer-name";
  }

  /** A trailer cannot say of a body that has ended where it ends (RFC 9110 §6.5.1). */
  #endTrailerName(): void {
    if (FRAMING_NAMES.has(this.#trailerName.toLowerCase())) throw malformed();
    this.#state = "trailer-value";
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
