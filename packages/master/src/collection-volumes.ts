import type { VolumeId } from "@kelp/wire";

/** The volumes of one collection that take needles, picked in turn so that their syncs overlap. */
export class CollectionVolumes {
  readonly collection: string;
  #writable: readonly VolumeId[] = [];
  #next = 0;
  /** The growing under way, shared by all who wait for it. */
  growing: Promise<void> | undefined;
  /** Monotonic date before which growing in the background is not tried again. */
  growNotBeforeMs = 0;

  constructor(collection: string) {
    this.collection = collection;
  }

  get writableCount(): number {
    return this.#writable.length;
  }

  /** `undefined` when there is none. */
  pick(): VolumeId | undefined {
    if (this.#next >= this.#writable.length) this.#next = 0;
    return this.#writable[this.#next++];
  }

  /** Adding twice is harmless. */
  add(id: VolumeId): void {
    if (!this.#writable.includes(id)) this.#writable = [...this.#writable, id];
  }

  retire(id: VolumeId): void {
    this.#writable = this.#writable.filter((other) => other !== id);
  }
}
