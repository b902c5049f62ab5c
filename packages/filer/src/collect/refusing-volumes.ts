import type { Clock } from "@kelp/base";
import type { Chunk, VolumeId } from "@kelp/wire";
import { errorCodes } from "../errors.ts";
import { REFUSAL_REST_MS } from "../limits.ts";

/** What keeps one volume from giving up needles, and no other: its disk or remote store is gone or full, or a job or an operator has it. */
const REFUSALS: readonly string[] = [
  "volume-missing",
  "volume-failed",
  "read-only",
  "out-of-space",
  "read-failed",
  "too-few-shards",
  "shards-corrupt",
  "index-corrupt",
  "remote-failed",
];

/** Whether an error is a matter of one volume, so that others may be gone on with. */
export function isOfOneVolume(error: unknown): boolean {
  return errorCodes(error).some((code) => REFUSALS.includes(code));
}

/** Volumes that refused a removal a moment ago: their garbage is stepped over for a while, so that all other has its turn. */
export class RefusingVolumes {
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** Until when each is left alone. */
  readonly #untilMs = new Map<VolumeId, number>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Whether it is a matter of this volume alone, which is then remembered. */
  note(id: VolumeId, error: unknown): boolean {
    if (!isOfOneVolume(error)) return false;
    this.#untilMs.set(id, this.#clock.monotonicMs() + REFUSAL_REST_MS);
    return true;
  }

  holds(chunks: readonly Chunk[]): boolean {
    return this.#untilMs.size > 0 && chunks.some(({ fid }) => this.#isResting(fid.volumeId));
  }

  #isResting(id: VolumeId): boolean {
    const untilMs = this.#untilMs.get(id);
    if (untilMs === undefined) return false;
    if (untilMs > this.#clock.monotonicMs()) return true;
    this.#untilMs.delete(id);
    return false;
  }
}
