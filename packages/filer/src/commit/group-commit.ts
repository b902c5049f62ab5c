import { AssertionError, type SqlDatabase } from "@kelp/base";
import { FilerError, storeError } from "../errors.ts";
import { COMMIT_BATCH_MAX, COMMIT_QUEUE_MAX } from "../limits.ts";

export interface GroupCommitOptions {
  readonly database: SqlDatabase;
  /** Runs at the end of each transaction, inside it: what operations left in memory is written here. */
  readonly beforeCommit: () => void;
  /** Runs when a transaction did not happen: what operations left in memory is forgotten here. */
  readonly afterRollback: () => void;
  /** Runs after each commit, outside it, before its promises resolve. Must not throw. */
  readonly afterCommit?: () => void;
  /** Runs its argument soon, after what is ready to run now. Default `setImmediate`. */
  readonly defer?: (run: () => void) => void;
}

interface Operation {
  readonly apply: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits the operations of many callers by one transaction, so that one sync of the log serves them all.
 *
 * Invariants:
 * - operations run in the order of their calls, one at a time, each seeing those before it;
 * - a promise resolves only after the commit of its transaction, and rejects only when nothing of it happened;
 * - an operation refuses with a value, before its first change; one that throws undoes its whole batch;
 * - one that comes upon a damaged row (`entry-corrupt`) rejects alone: the others of its batch are run again, each by itself.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #defer: (run: () => void) => void;
  #queue: Operation[] = [];
  #isScheduled = false;
  #isClosed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#defer = options.defer ?? ((run) => void setImmediate(run));
  }

  /** Runs `work` inside the next transaction. Rejects with `FilerError`: `out-of-space`, `store-failed`, `overloaded`, `closed`. */
  run<Value>(work: () => Value): Promise<Value> {
    if (this.#isClosed) {
      return Promise.reject(new FilerError("closed", "Cannot commit: the filer is closed"));
    }
    if (this.#queue.length >= COMMIT_QUEUE_MAX) {
      return Promise.reject(new FilerError("overloaded", "Cannot commit: the queue is full"));
    }
    return new Promise<Value>((resolve, reject) => {
      let outcome: { readonly value: Value } | undefined;
      this.#queue.push({
        apply: () => {
          outcome = { value: work() };
        },
        resolve: () => {
          if (outcome === undefined) reject(new AssertionError("a committed operation has run"));
          else resolve(outcome.value);
        },
        reject,
      });
      this.#schedule();
    });
  }

  /** Commits what is waiting and refuses what comes later. Closing twice is harmless. */
  close(): void {
    this.#isClosed = true;
    while (this.#queue.length > 0) this.#commitBatch();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#defer(() => {
      this.#isScheduled = false;
      this.#commitBatch();
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  #commitBatch(): void {
    const batch =
      this.#queue.length <= COMMIT_BATCH_MAX ? this.#queue : this.#queue.slice(0, COMMIT_BATCH_MAX);
    this.#queue = batch === this.#queue ? [] : this.#queue.slice(COMMIT_BATCH_MAX);
    if (batch.length > 0) this.#commit(batch);
  }

  #commit(batch: readonly Operation[]): void {
    try {
      this.#options.database.transaction(() => {
        for (const operation of batch) operation.apply();
        this.#options.beforeCommit();
      });
    } catch (error) {
      this.#options.afterRollback();
      const reason = error instanceof AssertionError ? error : storeError(error);
      if (batch.length > 1 && reason instanceof FilerError && reason.code === "entry-corrupt") {
        for (const operation of batch) this.#commit([operation]);
        return;
      }
      for (const operation of batch) operation.reject(reason);
      return;
    }
    this.#options.afterCommit?.();
    for (const operation of batch) operation.resolve();
  }
}
