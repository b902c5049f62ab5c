import { assertCount } from "@kelp/base";
import type { Change, FeedItem, Subscribe } from "@kelp/wire";
import { FEED_PAGE_CHANGES } from "../limits.ts";
import type { ChangeLog } from "../store/filer-store.ts";

/**
 * The changes behind a position, and then each new one. Reads the log a page at a time as the consumer asks, and sleeps between
 * commits, so a subscriber costs a page of memory and no polling. `caught-up` comes whenever everything was given.
 */
export async function* followChanges(log: ChangeLog, query: Subscribe): AsyncGenerator<FeedItem> {
  assertCount(query.after, "a position is a count");
  const { signal, treePrefix = "" } = query;
  using bell = new CommitBell(log, signal);
  let after = query.after;
  let toldCaughtUp = -1;
  while (!signal.aborted) {
    bell.reset();
    const { newest, keptAfter } = log.changeBounds();
    // Looked at before and after the read: what is pruned in between may be missing from the page.
    // What no change here has reached is of another history, such as that from before a restore.
    if (after < keptAfter || after > newest) return yield { kind: "position-gone", keptAfter };
    const page: readonly Change[] = await log.readChanges({ after, limit: FEED_PAGE_CHANGES });
    const { keptAfter: keptNow } = log.changeBounds();
    if (after < keptNow) return yield { kind: "position-gone", keptAfter: keptNow };
    for (const change of page) {
      if (signal.aborted) return undefined;
      after = change.position;
      if (change.tree.startsWith(treePrefix)) yield { kind: "change", change };
    }
    if (page.length === FEED_PAGE_CHANGES) continue;
    // That of the last change, and not the newest that was given out: after writes that failed, a restart gives theirs out again.
    if (after !== toldCaughtUp) {
      toldCaughtUp = after;
      yield { kind: "caught-up", position: after };
    }
    await bell.rung();
  }
  return undefined;
}

/** Rings at a commit, and at the end of the subscription. What rings while nobody waits is heard at the next wait. */
class CommitBell implements Disposable {
  readonly #watch: Disposable;
  readonly #signal: AbortSignal;
  readonly #ring: () => void;
  #isRung = false;
  #wake: (() => void) | undefined;

  constructor(log: ChangeLog, signal: AbortSignal) {
    this.#ring = () => {
      this.#isRung = true;
      const wake = this.#wake;
      this.#wake = undefined;
      wake?.();
    };
    this.#signal = signal;
    this.#watch = log.watchCommits(this.#ring);
    signal.addEventListener("abort", this.#ring);
  }

  reset(): void {
    this.#isRung = false;
  }

  async rung(): Promise<void> {
    if (this.#isRung || this.#signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.#signal.removeEventListener("abort", this.#ring);
    this.#ring();
  }
}
