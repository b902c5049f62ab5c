import { assert } from "../assert.ts";
import { EMPTY_BYTES } from "../bytes.ts";
import type { HeldShare } from "../http/stall-watch.ts";
import { TOGETHER_BYTES_MAX } from "./limits.ts";
import type { OutgoingBytes } from "./outgoing-bytes.ts";
import { ResponseHead, type ResponseHeaders } from "./response-head.ts";
import { isBodiless } from "./status-line.ts";

/** What an answer asks of its connection. */
export interface ResponseOwner {
  /**
   * The lines that every answer of this connection has, with the empty line. From here on it is certain whether the connection
   * serves on. `isEnding`: the answer says that it does not.
   */
  commonLines(isEnding: boolean): string;
  /** The last byte was handed to the system. */
  responded(): void;
  destroy(): void;
  reset(): void;
}

/** How a body is framed, once the head is sent. */
type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length" }
  | { readonly kind: "chunked" }
  /** The end of the connection is the end of the body: HTTP/1.0 knows no chunks. */
  | { readonly kind: "until-close" };

/** Where head and small body are put together for one write: a head and its write are made in one go, one after the other. */
const together = new ResponseHead(2 * TOGETHER_BYTES_MAX);
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
const CHUNK_END = Buffer.from("\r\n");

/**
 * The answer to one request: whole by `send`, or by `begin`, `write`, `end`. Whatever returns a promise is not to be followed by another call until that resolves,
 * which it does when the system has taken the bytes, or the client is gone (`isClosed`). Bytes given here must stay as they are until then.
 */
export class ResponseWriter {
  readonly #request: { readonly isHead: boolean; readonly knowsChunks: boolean };
  readonly #outgoing: OutgoingBytes;
  readonly #owner: ResponseOwner;
  /** Head that goes with the first bytes of the body. */
  #head: Uint8Array | undefined;
  #framing: Framing | undefined;
  #leftBytes = 0;
  #isOver = false;

  constructor(
    request: { readonly isHead: boolean; readonly knowsChunks: boolean },
    outgoing: OutgoingBytes,
    owner: ResponseOwner,
  ) {
    this.#request = request;
    this.#outgoing = outgoing;
    this.#owner = owner;
  }

  /** Whether nobody will read any more of it. */
  get isClosed(): boolean {
    return this.#outgoing.isClosed;
  }

  get isBegun(): boolean {
    return this.#framing !== undefined;
  }

  /** Whether the end of the answer is not announced: who leaves is then not missed by any count. */
  get isOpenEnded(): boolean {
    return this.#framing?.kind === "chunked" || this.#framing?.kind === "until-close";
  }

  /**
   * The whole answer. `Content-Length` is added; a HEAD is told the length and gets no body. `announcedBytes` stands for a body that is
   * not at hand, or whose length is not to be said.
   */
  send(
    status: number,
    headers: ResponseHeaders,
    body: Uint8Array | string,
    options: {
      readonly announcedBytes?: number | "unsaid" | undefined;
      readonly share?: HeldShare | undefined;
    } = {},
  ): Promise<void> | undefined {
    assert(this.#framing === undefined, "an answer is begun once");
    if (this.isClosed) return undefined;
    const sizeBytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    together.clear();
    together.addLines(status, headers);
    const hasNoBody = isBodiless(status);
    // 204 and 304 have no length (RFC 9110 §8.6).
    const lengthBytes = options.announcedBytes ?? sizeBytes;
    if (!hasNoBody && lengthBytes !== "unsaid") addLength(lengthBytes);
    together.addText(this.#owner.commonLines(isEnding(headers)));
    this.#framing = { kind: "none" };
    this.#outgoing.hold(options.share);
    const isTaken = this.#writeTogether(
      hasNoBody || this.#request.isHead ? EMPTY_BYTES : body,
      sizeBytes,
    );
    return this.#finish(isTaken);
  }

  /** Status and headers of a body that follows in pieces, of this length if it is known. They go with the first bytes, or with `flushHead`. */
  begin(
    status: number,
    headers: ResponseHeaders,
    options: { readonly sizeBytes?: number | undefined; readonly share?: HeldShare | undefined },
  ): void {
    assert(this.#framing === undefined, "an answer is begun once");
    this.#framing = { kind: "none" };
    if (this.isClosed) return;
    together.clear();
    together.addLines(status, headers);
    this.#framing = this.#chooseFraming(status, options.sizeBytes);
    if (options.sizeBytes !== undefined) addLength(options.sizeBytes);
    if (this.#framing.kind === "chunked") together.addText("Transfer-Encoding: chunked\r\n");
    const isLast = isEnding(headers) || this.#framing.kind === "until-close";
    together.addText(this.#owner.commonLines(isLast));
    this.#head = together.copyBytes();
    this.#leftBytes = options.sizeBytes ?? 0;
    this.#outgoing.hold(options.share);
  }

  /** Sends the head without waiting for the body. */
  flushHead(): Promise<void> | undefined {
    if (this.#head === undefined) return undefined;
    const head = this.#head;
    this.#head = undefined;
    return this.#waiting(this.#writeWith(head, EMPTY_BYTES, 0));
  }

  /** The next piece of the body. */
  write(piece: Uint8Array): Promise<void> | undefined {
    const framing = this.#framing;
    assert(framing !== undefined && !this.#isOver, "a piece comes between head and end");
    if (piece.length === 0 || framing.kind === "none") return undefined;
    if (framing.kind === "length") {
      assert(piece.length <= this.#leftBytes, "a body has no more bytes than were announced");
      this.#leftBytes -= piece.length;
    }
    const head = this.#head;
    this.#head = undefined;
    if (framing.kind !== "chunked") {
      if (head === undefined) return this.#waiting(this.#outgoing.write(piece));
      return this.#waiting(this.#writeWith(head, piece, piece.length));
    }
    together.clear();
    if (head !== undefined) together.addBytes(head);
    together.addText(`${piece.length.toString(16)}\r\n`);
    this.#writeTogether(piece, piece.length);
    return this.#waiting(this.#outgoing.write(CHUNK_END));
  }

  /** The body is complete. */
  end(): Promise<void> | undefined {
    assert(this.#framing !== undefined && !this.#isOver, "an answer ends once");
    const isSent = this.isClosed || this.#framing.kind !== "length" || this.#leftBytes === 0;
    assert(isSent, "a body has the bytes that were announced");
    const head = this.#head;
    this.#head = undefined;
    let isTaken = true;
    if (head !== undefined) isTaken = this.#writeWith(head, EMPTY_BYTES, 0);
    if (this.#framing.kind === "chunked") isTaken = this.#outgoing.write(LAST_CHUNK);
    return this.#finish(isTaken);
  }

  /** Calls `run` when the client is gone before the answer is over: for who waits for something else than the client. */
  onClosed(run: () => void): void {
    this.#outgoing.onClosed(run);
  }

  /** Ends the connection: a body that stops short of its announced end is how the client learns that it is not whole. */
  destroy(): void {
    if (this.#framing?.kind === "until-close") this.#owner.reset();
    else this.#owner.destroy();
  }

  #chooseFraming(status: number, sizeBytes: number | undefined): Framing {
    if (this.#request.isHead || isBodiless(status)) return { kind: "none" };
    if (sizeBytes !== undefined) return { kind: "length" };
    return { kind: this.#request.knowsChunks ? "chunked" : "until-close" };
  }

  #writeWith(head: Uint8Array, body: Uint8Array, bodyBytes: number): boolean {
    together.clear();
    together.addBytes(head);
    return this.#writeTogether(body, bodyBytes);
  }

  /** The head that was put together, and the body in one write with it where that saves more than the copy costs; returns whether all of it was taken. */
  #writeTogether(body: Uint8Array | string, bodyBytes: number): boolean {
    const headBytes = together.sizeBytes;
    if (headBytes > TOGETHER_BYTES_MAX) {
      const isTaken = this.#outgoing.write(together.copyBytes());
      if (body.length === 0) return isTaken;
      return this.#outgoing.write(typeof body === "string" ? Buffer.from(body) : body);
    }
    const memory = together.borrowBytes();
    const bytes =
      typeof body === "string" && bodyBytes > TOGETHER_BYTES_MAX ? Buffer.from(body) : body;
    if (typeof bytes === "string") {
      const size = headBytes + (bytes === "" ? 0 : memory.write(bytes, headBytes, "utf8"));
      return this.#outgoing.writeShared(memory.subarray(0, size));
    }
    // Of a large body the first part goes with the head, so that no small packet is sent alone.
    const first = Math.min(bytes.length, TOGETHER_BYTES_MAX);
    if (first > 0) memory.set(first === bytes.length ? bytes : bytes.subarray(0, first), headBytes);
    const isTaken = this.#outgoing.writeShared(memory.subarray(0, headBytes + first));
    return first === bytes.length ? isTaken : this.#outgoing.write(bytes.subarray(first));
  }

  #waiting(isTaken: boolean): Promise<void> | undefined {
    return isTaken ? undefined : this.#outgoing.drained();
  }

  #finish(isTaken: boolean): Promise<void> | undefined {
    this.#isOver = true;
    if (isTaken) {
      this.#responded();
      return undefined;
    }
    return this.#outgoing.drained().then(() => this.#responded());
  }

  #responded(): void {
    if (this.isClosed) return;
    this.#outgoing.release();
    this.#owner.responded();
  }
}

function isEnding(headers: ResponseHeaders): boolean {
  return headers["Connection"] === "close";
}

function addLength(sizeBytes: number): void {
  together.addText("Content-Length: ");
  together.addText(String(sizeBytes));
  together.addText("\r\n");
}
