import { type Clock, DiskError } from "@kelp/base";
import type { Damage, VolumeId } from "@kelp/wire";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { type ExamineSource, type Examined, examine } from "../volume/examine.ts";
import { ReadWindow } from "../volume/read-window.ts";
import { liveInFileOrder } from "../index/file-order.ts";
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
 * called damaged. What is removed meanwhile is no damage. Takes bounded memory: see `liveInFileOrder`.
 */
export async function checkNeedles(
  volume: CheckedVolume,
  fromBytes: number,
  deps: CheckDeps,
  watcher: CheckWatcher,
): Promise<CheckedNeedles> {
  const { index, endBytes } = volume.content;
  const check = new NeedleCheck(volume, deps);
  const pause = (): Promise<void> => deps.clock.sleep(0);
  for await (const batch of liveInFileOrder(index, { endBytes, pause })) {
    for (let at = 0; at < batch.count; at++) {
      const offsetBytes = batch.offsetBytes[at] ?? 0;
      if (offsetBytes < fromBytes) continue;
      const idHigh = batch.idHighs[at] ?? 0;
      const idLow = batch.idLows[at] ?? 0;
      const bodyBytes = batch.bodyBytes[at] ?? 0;
      await watcher.spend(await check.check({ idHigh, idLow, offsetBytes, bodyBytes }));
      await watcher.onPosition(offsetBytes, () => check.damaged);
    }
  }
  return check;
}

interface Expected {
  readonly idHigh: number;
  readonly idLow: number;
  readonly offsetBytes: number;
  readonly bodyBytes: number;
}

class NeedleCheck implements CheckedNeedles {
  readonly damaged: Damage[] = [];
  hasSoundHeaders = true;
  count = 0;
  bytes = 0;
  readonly #id: VolumeId;
  readonly #content: VolumeContent;
  readonly #hashes: Checksums;
  readonly #source: ExamineSource;

  constructor(volume: CheckedVolume, deps: CheckDeps) {
    this.#id = volume.id;
    this.#content = volume.content;
    this.#hashes = deps.hashes;
    this.#source = this.#sourceOf(WALK_BUFFER_BYTES);
  }

  /** Returns how many bytes were read. */
  async check(expected: Expected): Promise<number> {
    if (!this.#lives(expected)) return 0;
    let found = await this.#look(this.#source, expected);
    if (found !== undefined) {
      found = await this.#look(this.#sourceOf(CAREFUL_BUFFER_BYTES), expected);
    }
    if (!this.#lives(expected)) return 0;
    const { offsetBytes, bodyBytes } = expected;
    const recordBytes = this.#content.index.recordBytes(bodyBytes);
    this.count++;
    this.bytes += recordBytes;
    if (found !== undefined) {
      const what = joinIdHalves(expected.idHigh, expected.idLow).toString(16);
      this.damaged.push({ volumeId: this.#id, what, offsetBytes, reason: found.reason });
      if (found.kind === "header") this.hasSoundHeaders = false;
    }
    return recordBytes;
  }

  /** What is wrong, and whether records can still be followed by their headers; `undefined` when all is well. */
  async #look(source: ExamineSource, expected: Expected): Promise<Misfit | undefined> {
    let examined: Examined;
    try {
      examined = await examine(source, expected.offsetBytes);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      return { kind: "header", reason: `the disk refused to read: ${error.code}` };
    }
    if (examined.kind === "unreadable") {
      return { kind: "header", reason: "no record stands there" };
    }
    const { idHigh, idLow, bodyBytes } = examined.header;
    if (idHigh !== expected.idHigh || idLow !== expected.idLow) {
      return { kind: "header", reason: "another needle id stands there" };
    }
    if (bodyBytes !== expected.bodyBytes) {
      return { kind: "header", reason: "record has another size" };
    }
    return examined.kind === "damaged" ? { kind: "content", reason: examined.reason } : undefined;
  }

  #lives({ idHigh, idLow, offsetBytes }: Expected): boolean {
    return this.#content.index.find(idHigh, idLow)?.offsetBytes === offsetBytes;
  }

  #sourceOf(bufferBytes: number): ExamineSource {
    const { data, endBytes } = this.#content;
    return { window: new ReadWindow(data, bufferBytes), endBytes, hashes: this.#hashes };
  }
}

interface Misfit {
  readonly kind: "header" | "content";
  readonly reason: string;
}
