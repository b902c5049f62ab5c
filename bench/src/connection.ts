import { type Socket, connect } from "node:net";

export interface Answer {
  readonly status: number;
  readonly bodyBytes: number;
  /** The beginning of the body: enough for an error, or a continuation token. */
  readonly bodyStart: string;
}

const BODY_START_BYTES = 512 * 1024;

/** One kept-alive connection that asks one thing at a time. Reads just enough of HTTP to find where answers end. */
export class Connection implements Disposable {
  readonly #socket: Socket;
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
  #head = "";
  #status = 0;
  /** Bytes of body still to come; `undefined` while in the head. */
  #leftBytes: number | undefined;
  #isChunked = false;
  #bodyBytes = 0;
  #bodyStart = "";
  /** The answer to HEAD announces a body that never comes. */
  #isBodiless = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (data: Buffer) => this.#take(data));
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error("The server closed the connection")));
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Connection(socket));
      });
    });
  }

  /** Sends a whole request. */
  ask(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#isBodiless = request[0] === 0x48;
      this.#socket.write(request);
    });
  }

  /** Sends a head, then `part` as often as said, waiting for the socket whenever it is full. */
  async askInParts(head: Buffer, part: Buffer, count: number): Promise<Answer> {
    const answer = this.ask(head);
    for (let index = 0; index < count; index++) {
      if (!this.#socket.write(part)) {
        await new Promise<void>((resolve) => this.#socket.once("drain", resolve));
      }
    }
    return answer;
  }

  [Symbol.dispose](): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    let body = data;
    if (this.#leftBytes === undefined && !this.#isChunked) {
      this.#head += data.toString("latin1");
      const end = this.#head.indexOf("\r\n\r\n");
      if (end === -1) return;
      const head = this.#head.slice(0, end);
      body = data.subarray(data.length - (this.#head.length - end - 4));
      this.#head = "";
      this.#status = Number(head.slice(9, 12));
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
      this.#isChunked = length === undefined && /\r\ntransfer-encoding: chunked/i.test(head);
      this.#isChunked &&= !this.#isBodiless;
      this.#leftBytes = this.#isChunked ? undefined : this.#isBodiless ? 0 : Number(length ?? 0);
      this.#bodyBytes = 0;
      this.#bodyStart = "";
    }
    this.#bodyBytes += body.length;
    if (
      this.#bodyStart.length < BODY_START_BYTES &&
      (this.#isChunked || this.#status >= 300 || body.length < BODY_START_BYTES)
    ) {
      this.#bodyStart += body.toString("latin1");
    }
    if (this.#isChunked) {
      if (!this.#bodyStart.endsWith("0\r\n\r\n")) return;
    } else {
      this.#leftBytes = (this.#leftBytes ?? 0) - body.length;
      if (this.#leftBytes > 0) return;
    }
    this.#leftBytes = undefined;
    this.#isChunked = false;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({
      status: this.#status,
      bodyBytes: this.#bodyBytes,
      bodyStart: this.#bodyStart,
    });
  }
}
