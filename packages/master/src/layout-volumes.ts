import {
  NO_TTL,
  type VolumeId,
  type VolumeLayout,
  type VolumeStatus,
  ttlLengthMs,
} from "@kelp/wire";

/** The volumes of one layout that take needles, picked in turn so that their syncs overlap. */
export class LayoutVolumes {
  readonly layout: VolumeLayout;
  #writable: readonly VolumeId[] = [];
  #next = 0;
  /** Of volumes with a TTL: until when each takes needles. */
  readonly #takesUntilMs = new Map<VolumeId, number>();
  /** Whether needles were ever asked for; only then it is worth growing. */
  isUsed = false;
  /** The growing under way, shared by all who wait for it. */
  growing: Promise<void> | undefined;
  /** Monotonic date before which growing in the background is not tried again. */
  growNotBeforeMs = 0;

  constructor(layout: VolumeLayout) {
    this.layout = layout;
  }

  get writableCount(): number {
    return this.#writable.length;
  }

  /** `undefined` when there is none. */
  pick(): VolumeId | undefined {
    if (this.#next >= this.#writable.length) this.#next = 0;
    return this.#writable[this.#next++];
  }

  /** Adding twice is harmless. `createdMs`: date of its first needle, or of its making. */
  add(id: VolumeId, createdMs: number): void {
    if (!this.#writable.includes(id)) this.#writable = [...this.#writable, id];
    const lifetimeMs = ttlLengthMs(this.layout.ttl ?? NO_TTL);
    if (lifetimeMs !== undefined) this.#takesUntilMs.set(id, createdMs + lifetimeMs);
  }

  retire(id: VolumeId): void {
    this.#writable = this.#writable.filter((other) => other !== id);
    this.#takesUntilMs.delete(id);
  }

  /**
   * Retires volumes whose first needle has outlived the TTL: with needles coming all the time a volume would never be
   * over, and its space never be free. So it is at most two lifetimes after its first needle.
   */
  retireOld(nowMs: number): void {
    for (const [id, untilMs] of this.#takesUntilMs) if (nowMs > untilMs) this.retire(id);
  }
}

/** Equal for equal layouts. Without any option, as entries ask, it is the collection and costs nothing. */
export function layoutKey(layout: VolumeLayout): string {
  const { collection, replicaPlacement = 0, ttl = NO_TTL, diskType = "" } = layout;
  const isPlain = replicaPlacement === 0 && ttl.count === 0 && diskType === "";
  if (isPlain) return collection;
  return JSON.stringify([collection, replicaPlacement, ttl.count, ttl.unit, diskType]);
}

/** The layouts that a volume serves: the one that asks for its kind of disk, and the one that takes any. */
export function layoutsOf(status: VolumeTraitsOfLayout): readonly VolumeLayout[] {
  const { collection, replicaPlacement, ttl, diskType } = status;
  const any = { collection, replicaPlacement, ttl };
  return diskType === "" ? [any] : [any, { ...any, diskType }];
}

type VolumeTraitsOfLayout = Pick<
  VolumeStatus,
  "collection" | "replicaPlacement" | "ttl" | "diskType"
>;
