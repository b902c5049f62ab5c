import { assert, unreachable } from "../assert.ts";
import type { StallWatch } from "../http/stall-watch.ts";
import type { TcpConnection, TcpEvents } from "../net/tcp.ts";
import { bodyFraming } from "./body-framing.ts";
import { ChunkedDecoder } from "./chunked-decoder.ts";
import { Http1Exchange } from "./exchange.ts";
import { type HeadProgress, findHeadEnd } from "./head-end.ts";
import { Http1Error, type RefusalBody } from "./http1-error.ts";
import { type BodySource, IncomingBody } from "./incoming-body.ts";
import { EMPTY_LINES_MAX, PIPELINED_BYTES_MAX } from "./limits.ts";
import { OutgoingBytes } from "./outgoing-bytes.ts";
import { type RequestHead, parseRequestHead } from "./request-head.ts";
import { isContinueExpected, keepsAlive } from "./request-options.ts";
import { type ResponseOwner, ResponseWriter } from "./response-writer.ts";
import { statusLine } from "./status-line.ts";

/** What connections have of the server they belong to. */
export interface ConnectionHost {
  readonly stalls: StallWatch;
  readonly limits: {
    readonly headBytesMax: number;
    /** A body that nobody read is dropped up to this, so that the connection serves on. */
    readonly unreadBytesMax: number;
    /** Looks until a connection that waits for its client is ended: for a head, for a request, for the end. */
    readonly headLooksMax: number;
    readonly idleLooksMax: number;
    readonly endingLooksMax: number;
  };
  /** Whether connections are to end with the answer under way. */
  readonly isDraining: boolean;
  /** Lines that every answer has. */
  commonLines(): string;
  /** What a client reads that sent no HTTP. */
  describeRefusal(error: Http1Error): RefusalBody;
  /** Answers sooner or later, whatever happens; does not throw. */
  handle(exchange: Http1Exchange): void;
  closed(connection: Http1Connection): void;
}

const CONTINUE = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n");
const EMPTY_LINE_BYTES = 2;

/**
 * What a connection is at. `opened`: nothing came yet; `idle`: between requests; `head`: in the middle of a head; `serving`: a request is with its
 * handler; `dropping`: it is answered, and what is left of its body is dropped; `ending`: the last answer is sent, and what still comes is dropped until
 * the client ends too; `closed`.
 */
type Phase = "opened" | "idle" | "head" | "serving" | "dropping" | "ending" | "closed";

/**
 * One connection: bytes in, one request after the other to the handler, answers out in order. The next request is looked at when
 * the last is answered and its body gone by, so that order needs no queue; what comes early waits, up to a bound.
 */
export class Http1Connection implements TcpEvents, BodySource, ResponseOwner {
  readonly #host: ConnectionHost;
  readonly #connection: TcpConnection;
  readonly #outgoing: OutgoingBytes;
  /** Received and not yet taken. */
  #held: Buffer | undefined;
  readonly #progress: HeadProgress = { lineStart: 0 };
  #emptyLines = 0;
  #phase: Phase = "opened";
  #phaseLooks = 0;
  #exchange: Http1Exchange | undefined;
  #chunks: ChunkedDecoder | undefined;
  /** Whether the connection serves on after the answer under way. */
  #serves = true;
  #isResponded = false;
  #isPumping = false;

  constructor(host: ConnectionHost, connection: TcpConnection) {
    this.#host = host;
    this.#connection = connection;
    this.#outgoing = new OutgoingBytes(connection, host.stalls);
  }

  /** Between requests, so that nothing is lost with it. */
  get isIdle(): boolean {
    return this.#phase === "idle" || this.#phase === "opened";
  }

  destroy(): void {
    this.#connection.destroy();
  }

  reset(): void {
    this.#connection.reset();
  }

  data(bytes: Uint8Array): void {
    if (this.#phase === "ending" || this.#phase === "closed") return;
    const received = bufferOf(bytes);
    this.#held = this.#held === undefined ? received : Buffer.concat([this.#held, received]);
    this.#pump();
  }

  drained(): void {
    this.#outgoing.flush();
  }

  ended(): void {
    switch (this.#phase) {
      case "serving": {
        this.#serves = false;
        const exchange = this.#exchange;
        exchange?.body.cut();
        exchange?.leave();
        // Nobody can tell whether the client still reads: of an answer without end it is taken to be gone.
        if (exchange?.response.isOpenEnded === true) this.destroy();
        return;
      }
      case "closed":
        return;
      case "opened":
      case "idle":
      case "head":
      case "dropping":
      case "ending":
        this.destroy();
        return;
      default:
        unreachable(this.#phase);
    }
  }

  closed(): void {
    this.#enter("closed");
    this.#held = undefined;
    this.#outgoing.close();
    this.#exchange?.body.cut();
    this.#exchange?.leave();
    this.#exchange = undefined;
    this.#host.closed(this);
  }

  /** Called every `CONNECTION_CHECK_MS`: ends a connection that has been waiting for its client for too long. */
  look(): void {
    const { limits } = this.#host;
    const looks = ++this.#phaseLooks;
    switch (this.#phase) {
      case "opened":
      case "head":
      case "dropping":
        if (looks >= limits.headLooksMax) this.destroy();
        return;
      case "idle":
        if (looks >= limits.idleLooksMax) this.destroy();
        return;
      case "ending":
        if (looks >= limits.endingLooksMax) this.destroy();
        return;
      case "serving":
      case "closed":
        // Of a body and an answer under way the stall watch looks after.
        return;
      default:
        unreachable(this.#phase);
    }
  }

  /** Tells the client that the connection ends, as soon as nothing is under way. */
  drain(): void {
    if (this.isIdle && this.#held === undefined) this.destroy();
  }

  setReading(state: "on" | "off"): void {
    if (state === "on") this.#connection.resume();
    else this.#connection.pause();
  }

  sendContinue(): void {
    // Within an answer these bytes would be taken for a part of it.
    if (this.#exchange?.response.isBegun === false) this.#outgoing.write(CONTINUE);
  }

  commonLines(isEnding: boolean): string {
    const exchange = this.#exchange;
    assert(exchange !== undefined, "who answers was asked");
    const { body, head } = exchange;
    // Who waits for `100 Continue` may or may not send its body when it gets another answer: what comes next is not certain.
    const isUncertain = body.isContinueOwed || body.leftBytes > this.#host.limits.unreadBytesMax;
    if (isEnding || isUncertain || this.#host.isDraining) this.#serves = false;
    const common = this.#host.commonLines();
    if (!this.#serves) return `${common}Connection: close\r\n\r\n`;
    return head.version === "1.0" ? `${common}Connection: keep-alive\r\n\r\n` : `${common}\r\n`;
  }

  responded(): void {
    const exchange = this.#exchange;
    assert(exchange !== undefined, "who answers was asked");
    this.#isResponded = true;
    if (!this.#serves) {
      this.#end();
      return;
    }
    if (!exchange.body.isComplete) {
      this.#enter("dropping");
      exchange.body.drop();
    }
    this.#pump();
  }

  /** Takes what is held as far as it goes. Answers given meanwhile go on here instead of one inside the other. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#step());
    } catch (error) {
      if (!(error instanceof Http1Error)) throw error;
      this.#refuse(error);
    } finally {
      this.#isPumping = false;
    }
  }

  /** Returns whether there may be more to do. Throws `Http1Error` for what the client must not send. */
  #step(): boolean {
    if (this.#phase === "ending" || this.#phase === "closed") return false;
    const exchange = this.#exchange;
    if (exchange === undefined) return this.#takeHead();
    if (!exchange.body.isComplete) {
      return this.#takeBody(exchange, this.#held?.byteOffset === 0);
    }
    if (this.#isResponded) {
      this.#exchange = undefined;
      this.#isResponded = false;
      this.#chunks = undefined;
      this.#enter(this.#held === undefined ? "idle" : "head");
      this.#connection.resume();
      return true;
    }
    if (this.#held !== undefined && this.#held.length > PIPELINED_BYTES_MAX) {
      this.#connection.pause();
    }
    return false;
  }

  #takeHead(): boolean {
    const held = this.#held;
    if (held === undefined) return false;
    if (this.isIdle) this.#enter("head");
    const end = findHeadEnd(held, this.#progress, this.#host.limits.headBytesMax);
    if (end === -1) return false;
    this.#progress.lineStart = 0;
    if (end === EMPTY_LINE_BYTES) {
      // Some clients end a body with a line end that is none of it (RFC 9112 §2.2).
      if (++this.#emptyLines > EMPTY_LINES_MAX) throw new Http1Error(400, "There is no request");
      this.#hold(held, end);
      return true;
    }
    this.#emptyLines = 0;
    const head = parseRequestHead(held, end);
    this.#hold(held, end);
    // Of the head nothing but copies is left.
    this.#begin(head, held.byteOffset === 0);
    return true;
  }

  /** `isFirst`: nothing but this request lies before what is held of it, in the same memory. */
  #begin(head: RequestHead, isFirst: boolean): void {
    const framing = bodyFraming(head);
    this.#chunks = framing.kind === "chunked" ? new ChunkedDecoder() : undefined;
    this.#serves = keepsAlive(head);
    const body = new IncomingBody(framing, this, isContinueExpected(head));
    const request = { isHead: head.method === "HEAD", knowsChunks: head.version === "1.1" };
    const response = new ResponseWriter(request, this.#outgoing, this);
    const exchange = new Http1Exchange(head, body, response, this.#connection);
    this.#exchange = exchange;
    this.#enter("serving");
    // What is there of the body is at hand when the handler looks.
    if (this.#held !== undefined && !body.isComplete) this.#takeBody(exchange, isFirst);
    this.#host.handle(exchange);
  }

  #takeBody(exchange: Http1Exchange, isFirst: boolean): boolean {
    const held = this.#held;
    if (held === undefined) return false;
    const { body } = exchange;
    const chunks = this.#chunks;
    if (chunks === undefined) {
      const size = Math.min(held.length, body.leftBytes);
      this.#hold(held, size);
      const isAll = size === held.length;
      body.push(isAll ? held : held.subarray(0, size), isFirst && isAll);
      return body.isComplete;
    }
    try {
      const { start, sizeBytes, end } = chunks.decode(held, 0);
      this.#hold(held, end);
      body.push(held.subarray(start, start + sizeBytes), isFirst && end === held.length);
    } catch (error) {
      if (!(error instanceof Http1Error)) throw error;
      this.#breakBody(exchange, error);
      return false;
    }
    if (chunks.isDone) body.complete();
    return body.isComplete;
  }

  /** Where the framing is broken nothing behind it can be understood: the request fails, and the connection ends with its answer. */
  #breakBody(exchange: Http1Exchange, cause: Http1Error): void {
    this.#serves = false;
    this.#held = undefined;
    exchange.body.cut(cause);
    if (this.#isResponded) this.#end();
    else this.#connection.pause();
  }

  #refuse(error: Http1Error): void {
    const { mediaType, text } = this.#host.describeRefusal(error);
    const head =
      `${statusLine(error.status)}Content-Type: ${mediaType}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n` +
      `${this.#host.commonLines()}Connection: close\r\n\r\n`;
    this.#outgoing.write(Buffer.from(head + text));
    this.#end();
  }

  /**
   * Sends nothing more. A connection that is cut while the client writes loses the answer, so what comes is dropped until the client ends
   * too, for a while.
   */
  #end(): void {
    if (this.#phase === "closed") return;
    this.#exchange?.body.cut();
    this.#exchange = undefined;
    this.#held = undefined;
    this.#enter("ending");
    this.#connection.resume();
    if (this.#outgoing.isWaiting) this.#outgoing.drained().then(this.#finish, this.#finish);
    else this.#connection.finish();
  }

  readonly #finish = (): void => {
    if (this.#phase === "ending") this.#connection.finish();
  };

  #hold(held: Buffer, takenBytes: number): void {
    this.#held = takenBytes === held.length ? undefined : held.subarray(takenBytes);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseLooks = 0;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  if (bytes instanceof Buffer) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
