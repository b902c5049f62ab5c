import type { VolumeStateChange } from "@kelp/wire";

/** Tells listeners what becomes of volumes. */
export class StateAnnouncer {
  readonly #listeners = new Set<(change: VolumeStateChange) => void>();

  watch(listener: (change: VolumeStateChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  tell(change: VolumeStateChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
