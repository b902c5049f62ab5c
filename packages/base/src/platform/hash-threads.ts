import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { must } from "../assert.ts";
import type { HasherApart } from "../hash.ts";
import type { HashOrder } from "./hash-thread.ts";

/** Threads that hash, in one process: each takes some 20 MB and one hash at a time. */
const HASH_THREADS_MAX = 4;

/**
 * Threads for long hashes, started when they are first wanted, as many as leave the caller's thread a processor. Whoever
 * finds all of them taken hashes himself: nothing queues here.
 */
export class HashThreads {
  readonly #countMax: number;
  readonly #idle: HashThread[] = [];
  #count = 0;

  constructor(countMax = Math.min(HASH_THREADS_MAX, availableParallelism() - 1)) {
    this.#countMax = countMax;
  }

  take(algorithm: "md5" | "sha256"): HasherApart | undefined {
    const thread = this.#idle.pop() ?? this.#start();
    if (thread === undefined) return undefined;
    return new ApartHasher(thread, algorithm, () => this.#idle.push(thread));
  }

  /** Ends the idle threads. */
  async stop(): Promise<void> {
    const idle = this.#idle.splice(0);
    await Promise.all(idle.map((thread) => thread.stop()));
  }

  #start(): HashThread | undefined {
    if (this.#count >= this.#countMax) return undefined;
    this.#count++;
    const thread: HashThread = new HashThread(() => {
      this.#count--;
      const at = this.#idle.indexOf(thread);
      if (at !== -1) this.#idle.splice(at, 1);
    });
    return thread;
  }
}

interface Waiting {
  readonly resolve: (answer: Uint8Array | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** One thread. It answers in the order in which it was asked; when it dies, all that wait and all that come are refused. */
class HashThread {
  readonly #worker: Worker;
  readonly #onEnd: () => void;
  #waiting: Waiting[] = [];
  #failure: Error | undefined;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#worker = new Worker(new URL("hash-thread.ts", import.meta.url));
    this.#worker.on("message", (answer: Uint8Array | undefined) => {
      must(this.#waiting.shift()).resolve(answer);
      if (this.#waiting.length === 0) this.#worker.unref();
    });
    this.#worker.on("error", (cause) => this.#fail(cause));
    this.#worker.on("exit", () => this.#fail(undefined));
    // A thread that waits for work keeps no process alive, one that works does. (Listening counts as waiting for it: so last.)
    this.#worker.unref();
  }

  get isFailed(): boolean {
    return this.#failure !== undefined;
  }

  ask(order: HashOrder): Promise<Uint8Array | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) this.#worker.ref();
      this.#waiting.push({ resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
      this.#worker.postMessage(order);
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = new Error("Cannot hash: the thread for it ended", { cause });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(this.#failure);
    this.#onEnd();
  }
}

class ApartHasher implements HasherApart {
  readonly #thread: HashThread;
  readonly #giveBack: () => void;
  #isHeld = true;

  constructor(thread: HashThread, algorithm: "md5" | "sha256", giveBack: () => void) {
    this.#thread = thread;
    this.#giveBack = giveBack;
    // What became of it is told by what comes after it.
    thread.ask({ kind: "begin", algorithm }).catch(() => undefined);
  }

  async update(bytes: Uint8Array): Promise<void> {
    await this.#thread.ask({ kind: "update", bytes });
  }

  async digest(): Promise<Uint8Array> {
    return must(await this.#thread.ask({ kind: "digest" }));
  }

  /** The thread takes orders one after another, so that the next hash may begin before what is under way has ended. */
  [Symbol.dispose](): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    if (!this.#thread.isFailed) this.#giveBack();
  }
}
