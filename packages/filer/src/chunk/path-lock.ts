import { FilerError } from "../errors.ts";
import { APPENDS_WAITING_MAX } from "../limits.ts";

/** Lets one change of a file's content run at a time in this process, in the order they came. */
export class PathLock {
  readonly #waiting = new Map<string, { count: number; last: Promise<void> }>();

  /** Throws `overloaded` when too many wait for the same path. */
  async run<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
    const queue = this.#waiting.get(path) ?? { count: 0, last: Promise.resolve() };
    if (queue.count >= APPENDS_WAITING_MAX) {
      throw new FilerError(
        "overloaded",
        "Cannot change the file: too many changes of it are waiting",
      );
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = queue.last;
    queue.count++;
    queue.last = promise;
    this.#waiting.set(path, queue);
    try {
      await before;
      return await work();
    } finally {
      queue.count--;
      if (queue.count === 0) this.#waiting.delete(path);
      resolve();
    }
  }
}
