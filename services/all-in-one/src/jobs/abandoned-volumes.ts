import type { Clock, Log } from "@kelp/base";
import type { SweepOptions } from "@kelp/filer";
import type { VolumeId } from "@kelp/wire";

/** Bodies that were on their way elsewhere have left traces by then: each process is asked for those that it has in hand, as well. */
export const ABANDONED_GRACE_MS = 60_000;

export interface AbandonedVolumesOptions {
  readonly sweep: (options: SweepOptions) => Promise<unknown>;
  /** Holds a sweep to its rate. */
  readonly pace: (signal: AbortSignal) => (scannedBytes: number) => Promise<void> | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Sweeps volumes that a writer which died had last: needles of bodies that it did not finish are in them, and nobody names them any more. Others are left
 * to the sweep of everything, which comes seldom. Each volume is looked at twice, the grace apart, and all volumes noted meanwhile
 * come in one round after that.
 */
export class AbandonedVolumes implements AsyncDisposable {
  readonly #options: AbandonedVolumesOptions;
  readonly #stopping = new AbortController();
  readonly #noted = new Set<VolumeId>();
  #running: Promise<void> | undefined;

  constructor(options: AbandonedVolumesOptions) {
    this.#options = options;
  }

  note(volumes: readonly VolumeId[]): void {
    if (this.#stopping.signal.aborted) return;
    for (const id of volumes) this.#noted.add(id);
    if (this.#noted.size > 0) this.#running ??= this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#stopping;
    try {
      while (this.#noted.size > 0) {
        const only = [...this.#noted];
        this.#noted.clear();
        log.info("volumes of a process that died are swept", { volume_ids: only });
        await this.#round(only, signal);
      }
    } catch (error) {
      // What is left is found by the sweep of everything.
      if (!signal.aborted) log.warn("volumes of a process that died were not swept", { error });
    } finally {
      this.#running = undefined;
    }
  }

  async #round(only: readonly VolumeId[], signal: AbortSignal): Promise<void> {
    const { sweep, pace, clock } = this.#options;
    const once = (): Promise<unknown> =>
      sweep({ only, graceMs: ABANDONED_GRACE_MS, signal, pace: pace(signal) });
    await once();
    await clock.sleep(ABANDONED_GRACE_MS, signal);
    await once();
  }
}
