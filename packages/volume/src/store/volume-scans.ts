import type { ScannedNeedle, VolumeId } from "@kelp/wire";
import { Pace } from "../pace/pace.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import type { VolumeStoreOptions } from "./store-options.ts";

/** Going through whole volumes, which gives way to requests as the jobs on them do. */
export class VolumeScans {
  readonly #options: VolumeStoreOptions;
  readonly #get: (id: VolumeId) => ServedVolume;
  /** Under way. */
  readonly #counts = new Map<VolumeId, number>();

  /** `get` throws when there is no such volume. */
  constructor(options: VolumeStoreOptions, get: (id: VolumeId) => ServedVolume) {
    this.#options = options;
    this.#get = get;
  }

  /** What is scanned is not lent. */
  isScanned(id: VolumeId): boolean {
    return this.#counts.has(id);
  }

  /** `recall` has a lent volume back first. */
  async *scan(
    id: VolumeId,
    recall: (id: VolumeId) => Promise<void>,
  ): AsyncGenerator<ScannedNeedle> {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    try {
      await recall(id);
      yield* this.#givingWay(this.#get(id).scan());
    } finally {
      const count = (this.#counts.get(id) ?? 1) - 1;
      if (count > 0) this.#counts.set(id, count);
      else this.#counts.delete(id);
    }
  }

  async *#givingWay(needles: AsyncIterable<ScannedNeedle>): AsyncGenerator<ScannedNeedle> {
    const { clock } = this.#options;
    const pace = new Pace(this.#options, { bytesPerSec: Number.POSITIVE_INFINITY });
    for await (const needle of needles) {
      await pace.spend(0);
      const givenMs = clock.monotonicMs();
      yield needle;
      pace.waited(clock.monotonicMs() - givenMs);
    }
  }
}
