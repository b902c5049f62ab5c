import type { Clock, Log, Timer } from "@kelp/base";

export interface RepeatingJobOptions {
  readonly name: string;
  /** From the end of one round to the start of the next, so rounds never overlap. */
  readonly pauseMs: number;
  /** One round. May end early when `signal` aborts. A failure is logged; the next round comes all the same. */
  readonly round: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Background work of the process: one round after another, with pauses, until stopped. */
export class RepeatingJob implements AsyncDisposable {
  readonly #options: RepeatingJobOptions;
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #current: Promise<void> = Promise.resolve();

  /** The first round comes after one pause: the start of a server belongs to its users. */
  constructor(options: RepeatingJobOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** No further round; resolves when the one under way has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await this.#current;
  }

  #schedule(): void {
    const { clock, pauseMs } = this.#options;
    if (this.#stopping.signal.aborted) return;
    this.#timer = clock.schedule(pauseMs, () => {
      this.#current = this.#run();
    });
  }

  async #run(): Promise<void> {
    const { name, round, log } = this.#options;
    try {
      await round(this.#stopping.signal);
    } catch (error) {
      // A round that was told to stop may say so by throwing.
      if (!this.#stopping.signal.aborted) {
        log.error("A background job failed; it is tried again", { job: name, error });
      }
    }
    this.#schedule();
  }
}
