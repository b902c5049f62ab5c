import { Worker } from "node:worker_threads";
import type { Md5Message } from "./md5-thread.ts";
import { PieceSender } from "./shared-pieces.ts";

/** Bodies to move on side by side. */
interface Md5Batch {
  /** `MD5_STATE_WORDS` for each body. */
  readonly states: Int32Array;
  /** The whole blocks of each. */
  readonly pieces: readonly Uint8Array[];
}

interface Waiting {
  readonly resolve: (states: Int32Array) => void;
  readonly reject: (error: unknown) => void;
}

/** The thread seen from outside: it takes one batch at a time. When it dies, what it had and what comes is refused. */
export class Md5Thread {
  readonly #worker: Worker;
  readonly #sender = new PieceSender();
  #waiting: Waiting | undefined;
  #failure: Error | undefined;

  constructor() {
    this.#worker = new Worker(new URL("md5-thread.ts", import.meta.url));
    this.#worker.on("message", (states: Int32Array) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      this.#worker.unref();
      waiting?.resolve(states);
    });
    this.#worker.on("error", (cause) => this.#fail(cause));
    this.#worker.on("exit", () => this.#fail(undefined));
    // A thread that waits for work keeps no process alive, one that works does. (Listening counts as waiting for it: so last.)
    this.#worker.unref();
  }

  get isFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** The states after the batch. Bytes in shared memory are not copied, and must stay as they are until then. */
  move({ states, pieces }: Md5Batch): Promise<Int32Array> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const message: Md5Message = { states, pieces: pieces.map((each) => this.#sender.send(each)) };
    return new Promise((resolve, reject) => {
      this.#worker.ref();
      this.#waiting = { resolve, reject };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
      this.#worker.postMessage(message);
    });
  }

  /** Has the thread let go of the memory that it was lent. */
  forget(): void {
    if (this.#failure !== undefined) return;
    this.#sender.forget();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
    this.#worker.postMessage("forget" satisfies Md5Message);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(cause: unknown): void {
    this.#failure ??= new Error("Cannot hash: the thread for it ended", { cause });
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(this.#failure);
  }
}
