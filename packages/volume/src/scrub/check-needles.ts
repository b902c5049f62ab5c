import { type Clock, DiskError } from "@kelp/base";
import type { Damage, VolumeId } from "@kelp/wire";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { ALIGNMENT_BYTES } from "../needle/layout.ts";
import { type ExamineSource, type Examined, examine } from "../volume/examine.ts";
import { ReadWindow } from "../volume/read-window.ts";
import { liveOffsetUnits } from "../volume/scan.ts";
import type { VolumeContent } from "../volume/volume-content.ts";
import type { Checksums } from "../needle/decode.ts";

/** What is read at once when a larger piece could not be read: a block of most disks. */
const CAREFUL_BUFFER_BYTES = 4096;

/** What a check of a volume needs of it. */
export interface CheckedVolume {
  readonly id: VolumeId;
  /** As it is at the moment of asking. No job exchanges its files meanwhile. */
  readonly content: VolumeContent;
}

export interface CheckDeps {
  readonly clock: Clock;
  readonly hashes: Checksums;
}

export interface CheckWatcher {
  /** So many bytes were read. May wait, or throw to end the check. */
  spend(bytes: number): Promise<void>;
  /** Every needle before was checked; `found` gives the damage among them. */
  onPosition(positionBytes: number, found: () => readonly Damage[]): Promise<void>;
}

export interface CheckedNeedles {
  readonly count: number;
  readonly bytes: number;
  readonly damaged: readonly Damage[];
  /** The headers of all needles could be read: records can be followed by them. */
  readonly hasSoundHeaders: boolean;
}

/**
 * Reads every needle that lives behind `fromBytes`, in file order. What does not fit is read once more, alone, before it is
 * called damaged. Costs 4 bytes a live needle while it runs.
 */
export async function checkNeedles(
  volume: CheckedVolume,
  fromBytes: number,
  deps: CheckDeps,
  watcher: CheckWatcher,
): Promise<CheckedNeedles> {
  const { content } = volume;
  const check = new NeedleCheck(volume, deps);
  for (const units of liveOffsetUnits(content.index)) {
    const offsetBytes = units * ALIGNMENT_BYTES;
    if (offsetBytes < fromBytes) continue;
    await watcher.spend(await check.checkAt(offsetBytes));
    await watcher.onPosition(offsetBytes, () => check.result().damaged);
  }
  return check.result();
}

class NeedleCheck {
  readonly #volume: CheckedVolume;
  readonly #content: VolumeContent;
  readonly #hashes: Checksums;
  readonly #source: ExamineSource;
  readonly #damaged: Damage[] = [];
  /** Places where no needle could be read that lives there. Whose place it is comes out in the end. */
  readonly #nameless = new Map<number, string>();
  #count = 0;
  #bytes = 0;

  constructor(volume: CheckedVolume, deps: CheckDeps) {
    this.#volume = volume;
    this.#content = volume.content;
    this.#hashes = deps.hashes;
    this.#source = this.#sourceOf(WALK_BUFFER_BYTES);
  }

  /** Returns how many bytes were read. */
  async checkAt(offsetBytes: number): Promise<number> {
    let found = await this.#look(this.#source, offsetBytes);
    if (found.kind !== "fine") {
      found = await this.#look(this.#sourceOf(CAREFUL_BUFFER_BYTES), offsetBytes);
    }
    this.#count++;
    if (found.kind === "nameless") this.#nameless.set(offsetBytes, found.reason);
    else if (found.kind === "damaged") this.#damaged.push(found.damage);
    const bytes = found.kind === "fine" ? found.bytes : ALIGNMENT_BYTES;
    this.#bytes += bytes;
    return bytes;
  }

  result(): CheckedNeedles {
    const named = [...this.#damaged];
    if (this.#nameless.size > 0) {
      this.#content.index.forEachLive((high, low, offsetBytes) => {
        const reason = this.#nameless.get(offsetBytes);
        if (reason !== undefined) named.push(this.#damage(high, low, offsetBytes, reason));
      });
    }
    named.sort((left, right) => left.offsetBytes - right.offsetBytes);
    return {
      count: this.#count,
      bytes: this.#bytes,
      damaged: named,
      hasSoundHeaders: named.length === this.#damaged.length,
    };
  }

  async #look(source: ExamineSource, offsetBytes: number): Promise<Look> {
    let examined: Examined;
    try {
      examined = await examine(source, offsetBytes);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      return { kind: "nameless", reason: `the disk refused to read: ${error.code}` };
    }
    if (examined.kind === "unreadable") {
      return { kind: "nameless", reason: "no record stands there" };
    }
    const { idHigh, idLow, bodyBytes } = examined.header;
    const location = this.#content.index.find(idHigh, idLow);
    if (location?.offsetBytes !== offsetBytes) {
      return { kind: "nameless", reason: "another needle id stands there" };
    }
    const reason = reasonOf(examined, bodyBytes === location.bodyBytes);
    return reason === undefined
      ? { kind: "fine", bytes: examined.endBytes - offsetBytes }
      : { kind: "damaged", damage: this.#damage(idHigh, idLow, offsetBytes, reason) };
  }

  #damage(idHigh: number, idLow: number, offsetBytes: number, reason: string): Damage {
    const what = joinIdHalves(idHigh, idLow).toString(16);
    return { volumeId: this.#volume.id, what, offsetBytes, reason };
  }

  #sourceOf(bufferBytes: number): ExamineSource {
    const { data, endBytes } = this.#content;
    return { window: new ReadWindow(data, bufferBytes), endBytes, hashes: this.#hashes };
  }
}

type Look =
  | { readonly kind: "fine"; readonly bytes: number }
  | { readonly kind: "damaged"; readonly damage: Damage }
  | { readonly kind: "nameless"; readonly reason: string };

function reasonOf(
  examined: Exclude<Examined, { kind: "unreadable" }>,
  hasIndexedSize: boolean,
): string | undefined {
  if (examined.kind === "damaged") return examined.reason;
  return hasIndexedSize ? undefined : "record has another size";
}
