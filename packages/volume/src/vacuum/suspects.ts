import type { NeedleIndex } from "../index/needle-index.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import type { WalkStep } from "../volume/walk.ts";

/** A live needle of which nothing with its name stands where the index says. */
export interface Suspect {
  readonly idHigh: number;
  readonly idLow: number;
  readonly offsetBytes: number;
  readonly bodyBytes: number;
  /** What is wrong at that place. */
  readonly reason: string;
}

/** The index may be wrong about the place of a suspect: a record of its name stands elsewhere. */
export interface Doubt {
  readonly suspect: Suspect;
  readonly elsewhereBytes: number;
}

/**
 * Tells damaged records from places that the index has wrong, by a walk along all records of the file. A record of the same
 * name elsewhere is an earlier version of the needle, and the index right, when it stands in front of the place, and at the place
 *
 * - the walk finds no record at all: one of that size was there, since nothing else is; or
 * - one that is like it in all but an id of which the index never heard: that id is what is damaged.
 *
 * With anything else (a later record of the name, another needle at the place) the index is doubted. Making it anew
 * (`rebuildIndex`) believes it in the same two cases, so what is not doubted here is not settled otherwise there.
 */
export class Suspects {
  readonly #index: Pick<NeedleIndex, "knows" | "recordBytes">;
  /** In file order; places of live needles in one index do not overlap, unless it is wrong. */
  readonly #all: readonly Suspect[];
  readonly #byName: ReadonlyMap<bigint, Suspect>;
  readonly #elsewhere = new Map<Suspect, number>();
  readonly #misplaced = new Set<Suspect>();
  /** Those before end before the step. */
  #next = 0;

  constructor(all: readonly Suspect[], index: Pick<NeedleIndex, "knows" | "recordBytes">) {
    this.#index = index;
    this.#all = [...all].sort((left, right) => left.offsetBytes - right.offsetBytes);
    this.#byName = new Map(all.map((suspect) => [nameOf(suspect), suspect]));
  }

  /** Steps come in the order of the walk. */
  observe(step: WalkStep): void {
    if (step.kind !== "record" && step.kind !== "damaged") return;
    const { header, offsetBytes } = step;
    // A tombstone is no other place of a needle.
    if (step.kind === "record" && header.bodyBytes > 0) {
      const named = this.#byName.get(nameOf(header));
      // The last one counts: whether any stands behind the place.
      if (named !== undefined) this.#elsewhere.set(named, offsetBytes);
    }
    const endBytes = offsetBytes + this.#index.recordBytes(header.bodyBytes);
    for (let at = this.#next; at < this.#all.length; at++) {
      const suspect = this.#all[at];
      if (suspect === undefined || suspect.offsetBytes >= endBytes) break;
      const suspectEnd = suspect.offsetBytes + this.#index.recordBytes(suspect.bodyBytes);
      if (suspectEnd <= offsetBytes) {
        if (at === this.#next) this.#next++;
      } else if (!this.#isRenamed(suspect, step)) {
        this.#misplaced.add(suspect);
      }
    }
  }

  /** One of which the index may be wrong, if any. `lives`: whether the index names it still. */
  doubt(lives: (suspect: Suspect) => boolean): Doubt | undefined {
    for (const [suspect, elsewhereBytes] of this.#elsewhere) {
      const isEarlier = elsewhereBytes < suspect.offsetBytes;
      if (isEarlier && !this.#misplaced.has(suspect)) continue;
      if (lives(suspect)) return { suspect, elsewhereBytes };
    }
    return undefined;
  }

  #isRenamed(
    suspect: Suspect,
    { offsetBytes, header }: Extract<WalkStep, { kind: "record" | "damaged" }>,
  ): boolean {
    return (
      offsetBytes === suspect.offsetBytes &&
      header.bodyBytes === suspect.bodyBytes &&
      this.#index.knows(header.idHigh, header.idLow) === "unknown"
    );
  }
}

function nameOf({ idHigh, idLow }: { readonly idHigh: number; readonly idLow: number }): bigint {
  return joinIdHalves(idHigh, idLow);
}
