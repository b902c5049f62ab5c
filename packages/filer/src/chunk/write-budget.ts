import { type Clock, type Permit, Semaphore, assert } from "@kelp/base";
import { CHUNK_SIZE_BYTES } from "@kelp/wire";
import { BUFFER_LENT_MS } from "../limits.ts";
import { IdleBuffers } from "./idle-buffers.ts";

/**
 * The buffers in which bodies become chunks, for the whole process. A body holds at most one buffer while it waits for its
 * source, and none while it waits for a buffer, so bodies cannot lock each other out for good. Nor does a slow source lock others out: while
 * somebody waits, buffers that were lent for `BUFFER_LENT_MS` are recalled, the oldest first.
 */
export class WriteBudget {
  readonly #permits: Semaphore;
  readonly #clock: Pick<Clock, "monotonicMs" | "schedule">;
  /** In the order in which they were lent. */
  readonly #lent = new Set<ChunkBuffer>();
  #isRecalling = false;
  /** Those that nobody uses. */
  readonly idle = new IdleBuffers();

  constructor(budgetBytes: number, clock: Pick<Clock, "monotonicMs" | "schedule">) {
    assert(budgetBytes >= CHUNK_SIZE_BYTES, "the budget holds a chunk");
    this.#permits = new Semaphore(Math.floor(budgetBytes / CHUNK_SIZE_BYTES));
    this.#clock = clock;
  }

  /** Waits for a buffer of `CHUNK_SIZE_BYTES`. Its content is undefined. */
  async take(): Promise<ChunkBuffer> {
    const permit = this.#permits.tryAcquire() ?? (await this.#wait());
    // Shared, so that another thread can hash them where they are.
    const bytes = this.idle.take() ?? new Uint8Array(new SharedArrayBuffer(CHUNK_SIZE_BYTES));
    const buffer = new ChunkBuffer(bytes, this.#clock.monotonicMs(), () => {
      this.#lent.delete(buffer);
      this.idle.give(bytes);
      permit[Symbol.dispose]();
    });
    this.#lent.add(buffer);
    return buffer;
  }

  get takenCount(): number {
    return this.#permits.used;
  }

  /** Whether somebody waits for a buffer. */
  get isWanted(): boolean {
    return this.#permits.isWanted;
  }

  #wait(): Promise<Permit> {
    this.#recallLater();
    return this.#permits.acquire();
  }

  #recallLater(): void {
    if (this.#isRecalling) return;
    this.#isRecalling = true;
    this.#clock.schedule(BUFFER_LENT_MS, () => {
      this.#isRecalling = false;
      this.#recall(this.#permits.waitingCount);
      if (this.isWanted) this.#recallLater();
    });
  }

  #recall(wantedCount: number): void {
    const untilMs = this.#clock.monotonicMs() - BUFFER_LENT_MS;
    let recalledCount = 0;
    for (const buffer of this.#lent) {
      if (recalledCount === wantedCount || buffer.lentMs > untilMs) return;
      buffer.recall();
      recalledCount++;
    }
  }
}

/** A lent buffer. Giving it back twice is harmless. */
export class ChunkBuffer implements Disposable {
  readonly bytes: Uint8Array;
  readonly lentMs: number;
  readonly #giveBack: () => void;
  #isLent = true;
  #isRecalled = false;
  #onRecall: (() => void) | undefined;

  constructor(bytes: Uint8Array, lentMs: number, giveBack: () => void) {
    this.bytes = bytes;
    this.lentMs = lentMs;
    this.#giveBack = giveBack;
  }

  /** Others wait for it: whoever has it is told now, or when it next asks to be told. */
  recall(): void {
    this.#isRecalled = true;
    this.#onRecall?.();
  }

  /** Calls `run` when the buffer is recalled, at once when it was; `undefined` for nobody any more. */
  onRecall(run: (() => void) | undefined): void {
    this.#onRecall = run;
    if (this.#isRecalled) run?.();
  }

  [Symbol.dispose](): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    this.#giveBack();
  }
}
