import { assert } from "@kelp/base";
import { S3Error } from "../errors.ts";

/**
 * The `aws-chunked` coding, byte by byte:
 *
 *     frame    = size-hex [";chunk-signature=" 64 hex] CRLF  size bytes of data  CRLF
 *     end      = "0" [";chunk-signature=" 64 hex] CRLF
 *     trailers = *( name ":" value CRLF )
 *     body     = *frame end trailers CRLF
 *
 * Invariants: data leaves as views of what was pushed, never copied, never held back. Held between pushes is one
 * unfinished line (`LINE_BYTES_MAX`) and the trailers (`TRAILERS_MAX`). After the last CRLF no byte is accepted.
 * Source: the S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload in
 * Multiple Chunks".
 */
export interface FrameEvents {
  /** A frame begins; the last one has size 0. `signatureHex` is there exactly when frames are signed. */
  readonly onFrame: (sizeBytes: number, signatureHex: string | undefined) => void;
  readonly onData: (data: Uint8Array) => void;
  readonly onFrameEnd: () => void;
  readonly onTrailer: (name: string, value: string) => void;
  /** The body is whole: the last CRLF has been read. */
  readonly onEnd: () => void;
}

/** A frame header takes at most 96 bytes, a trailer line of a SHA-256 checksum about 70. */
const LINE_BYTES_MAX = 512;
const TRAILERS_MAX = 16;
/** 2^40: above the largest object part by far, well inside safe integers. */
const SIZE_DIGITS_MAX = 10;
const SIGNATURE_MARK = ";chunk-signature=";
const CR = 0x0d;
const LF = 0x0a;

type State = "header" | "data" | "data-end" | "trailers" | "done";

export class FrameDecoder {
  readonly #events: FrameEvents;
  readonly #isSigned: boolean;
  readonly #line = new Uint8Array(LINE_BYTES_MAX);
  #lineLength = 0;
  #state: State = "header";
  #leftBytes = 0;
  #trailerCount = 0;

  constructor(events: FrameEvents, frames: "signed" | "unsigned") {
    this.#events = events;
    this.#isSigned = frames === "signed";
  }

  /** Takes the next bytes in whatever pieces they arrive. Throws `S3Error` at the first byte that cannot be. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === "data") at = this.#takeData(bytes, at);
      else if (this.#state === "done") throw malformed("there are bytes after its end");
      else at = this.#takeLine(bytes, at);
    }
  }

  /** Says that no more bytes come. Throws `IncompleteBody` when that is too early. */
  finish(): void {
    if (this.#state !== "done") {
      throw new S3Error("IncompleteBody", "The chunked body ends before its last chunk");
    }
  }

  #takeData(bytes: Uint8Array, start: number): number {
    const end = Math.min(bytes.length, start + this.#leftBytes);
    this.#events.onData(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    this.#leftBytes -= end - start;
    if (this.#leftBytes === 0) this.#state = "data-end";
    return end;
  }

  /** Collects up to the next CRLF; a line may be spread over any number of pushes. */
  #takeLine(bytes: Uint8Array, start: number): number {
    const line = this.#line;
    let length = this.#lineLength;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === LF && length > 0 && line[length - 1] === CR) {
        this.#lineLength = 0;
        this.#onLine(Buffer.from(line.buffer, 0, length - 1).toString("latin1"));
        return at + 1;
      }
      if (length === LINE_BYTES_MAX) throw malformed("a chunk header is too long");
      line[length] = byte;
      length += 1;
    }
    this.#lineLength = length;
    return bytes.length;
  }

  #onLine(line: string): void {
    if (this.#state === "data-end") {
      if (line !== "") throw malformed("a chunk is longer than its size");
      this.#events.onFrameEnd();
      this.#state = "header";
    } else if (this.#state === "header") {
      this.#onHeader(line);
    } else {
      assert(this.#state === "trailers", "lines are read in headers, after data and in trailers");
      this.#onTrailer(line);
    }
  }

  #onHeader(line: string): void {
    const mark = line.indexOf(";");
    const sizeText = mark < 0 ? line : line.slice(0, mark);
    const sizeBytes = parseSize(sizeText);
    if (sizeBytes === undefined) throw malformed("a chunk size is not hexadecimal");
    if (this.#isSigned !== mark >= 0) throw malformed("a chunk header has the wrong form");
    if (this.#isSigned && !line.startsWith(SIGNATURE_MARK, mark)) {
      throw malformed("a chunk header has no chunk-signature");
    }
    this.#events.onFrame(
      sizeBytes,
      this.#isSigned ? line.slice(mark + SIGNATURE_MARK.length) : undefined,
    );
    if (sizeBytes > 0) {
      this.#leftBytes = sizeBytes;
      this.#state = "data";
      return;
    }
    this.#events.onFrameEnd();
    this.#state = "trailers";
  }

  #onTrailer(line: string): void {
    if (line === "") {
      this.#state = "done";
      this.#events.onEnd();
      return;
    }
    const colon = line.indexOf(":");
    this.#trailerCount += 1;
    if (colon <= 0 || this.#trailerCount > TRAILERS_MAX) throw new S3Error("MalformedTrailerError");
    // The published example ends the value with a line feed of its own; trimming takes that too.
    this.#events.onTrailer(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
}

function parseSize(text: string): number | undefined {
  if (text.length === 0 || text.length > SIZE_DIGITS_MAX) return undefined;
  return /^[0-9a-fA-F]+$/.test(text) ? Number.parseInt(text, 16) : undefined;
}

function malformed(what: string): S3Error {
  return new S3Error("InvalidRequest", `The chunked body is malformed: ${what}`);
}
