import { type Disk, type Log, utf8, utf8Text } from "@kelp/base";
import {
  type Damage,
  type FoundDamage,
  type NeedleId,
  type VolumeId,
  needleId,
  volumeId,
} from "@kelp/wire";
import { DAMAGE_COUNT_MAX } from "../limits.ts";

/**
 * What scrubbing knows of the volumes of one folder, in `scrub.json`:
 *
 * ```json
 * { "format": 1,
 *   "volumes": { "3": { "revision": 0, "position_bytes": 1048576, "finished_ms": 1700000000000 } },
 *   "damaged": [{ "volume_id": 3, "what": "1a", "offset_bytes": 8, "reason": "…", "found_ms": 1700000000000 }] }
 * ```
 *
 * `revision` is the compaction revision that the position is of. The file is replaced as a whole, durably. One that cannot be
 * read is started anew: damage is found again by the next cycle, and reads never rely on it.
 */
const FILE_NAME = "scrub.json";
const FORMAT = 1;

export interface ScrubProgress {
  readonly revision: number;
  /** Everything before was checked in the round under way; 0 between rounds. */
  readonly positionBytes: number;
  /** End of the last whole round; 0 when there was none. */
  readonly finishedMs: number;
}

export const NEVER_SCRUBBED: ScrubProgress = { revision: 0, positionBytes: 0, finishedMs: 0 };

export class ScrubRecord {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #log: Log;
  readonly #progress = new Map<VolumeId, ScrubProgress>();
  #damaged: readonly FoundDamage[] = [];
  /** By volume, for reads: needle to the offset of its damaged record. */
  readonly #needles = new Map<VolumeId, Map<NeedleId, number>>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(disk: Disk, folder: string, log: Log) {
    this.#disk = disk;
    this.#path = `${folder}/${FILE_NAME}`;
    this.#log = log;
  }

  static async open(disk: Disk, folder: string, log: Log): Promise<ScrubRecord> {
    const record = new ScrubRecord(disk, folder, log);
    await record.#load();
    return record;
  }

  progressOf(id: VolumeId): ScrubProgress {
    return this.#progress.get(id) ?? NEVER_SCRUBBED;
  }

  get damaged(): readonly FoundDamage[] {
    return this.#damaged;
  }

  /** Of one volume; the map goes on changing with what is found. */
  damagedNeedles(id: VolumeId): ReadonlyMap<NeedleId, number> {
    let needles = this.#needles.get(id);
    if (needles === undefined) this.#needles.set(id, (needles = new Map()));
    return needles;
  }

  /** Durable when it resolves. */
  async setProgress(id: VolumeId, progress: ScrubProgress): Promise<void> {
    this.#progress.set(id, progress);
    await this.#save();
  }

  /** Takes in what was found, in the place of what was known of the same things. Durable when it resolves. */
  async addDamage(found: readonly FoundDamage[]): Promise<void> {
    if (found.length === 0) return;
    const news = new Set(found.map(keyOf));
    const all = [...this.#damaged.filter((known) => !news.has(keyOf(known))), ...found];
    if (all.length > DAMAGE_COUNT_MAX) {
      this.#log.error("more is damaged than is kept a list of", {
        path: this.#path,
        damaged_count: all.length,
      });
    }
    this.#setDamaged(all.slice(0, DAMAGE_COUNT_MAX));
    await this.#save();
  }

  /** Forgets damage of a volume that `isThere` says is no more: removed, overwritten, or repaired. */
  async settleDamage(id: VolumeId, isThere: (damage: Damage) => boolean): Promise<void> {
    const left = this.#damaged.filter((damage) => damage.volumeId !== id || isThere(damage));
    if (left.length === this.#damaged.length) return;
    this.#setDamaged(left);
    await this.#save();
  }

  /** Forgets all about a volume. */
  async forget(id: VolumeId): Promise<void> {
    const isKnown = this.#progress.delete(id);
    const left = this.#damaged.filter((damage) => damage.volumeId !== id);
    if (!isKnown && left.length === this.#damaged.length) return;
    this.#setDamaged(left);
    await this.#save();
  }

  #setDamaged(damaged: readonly FoundDamage[]): void {
    this.#damaged = damaged;
    for (const needles of this.#needles.values()) needles.clear();
    for (const { volumeId: id, what, offsetBytes } of damaged) {
      const needle = damagedNeedle(what);
      if (needle === undefined) continue;
      let needles = this.#needles.get(id);
      if (needles === undefined) this.#needles.set(id, (needles = new Map()));
      needles.set(needle, offsetBytes);
    }
  }

  async #load(): Promise<void> {
    try {
      if (!(await this.#disk.exists(this.#path))) return;
      const stored = parseStored(utf8Text(await this.#disk.readWhole(this.#path)));
      for (const [id, progress] of stored.volumes) this.#progress.set(id, progress);
      this.#setDamaged(stored.damaged);
    } catch (error) {
      this.#log.warn("the record of scrubbing is started anew", { path: this.#path, error });
    }
  }

  /** One write after another; each writes what is known when its turn comes. */
  #save(): Promise<void> {
    const write = (): Promise<void> => this.#disk.writeWhole(this.#path, utf8(this.#text()));
    const saving = this.#writing.then(write, write);
    this.#writing = saving;
    return saving;
  }

  #text(): string {
    const volumes = Object.fromEntries(
      Array.from(this.#progress, ([id, { revision, positionBytes, finishedMs }]) => [
        id,
        { revision, position_bytes: positionBytes, finished_ms: finishedMs },
      ]),
    );
    const damaged = this.#damaged.map((damage) => ({
      volume_id: damage.volumeId,
      what: damage.what,
      offset_bytes: damage.offsetBytes,
      reason: damage.reason,
      found_ms: damage.foundMs,
    }));
    return `${JSON.stringify({ format: FORMAT, volumes, damaged }, undefined, 2)}\n`;
  }
}

/** The needle of `Damage.what`; `undefined` for an index or a shard. */
export function damagedNeedle(what: string): NeedleId | undefined {
  return /^[0-9a-f]{1,16}$/.test(what) ? needleId(BigInt(`0x${what}`)) : undefined;
}

function keyOf({ volumeId: id, what }: Damage): string {
  return `${id} ${what}`;
}

interface Stored {
  readonly volumes: readonly (readonly [VolumeId, ScrubProgress])[];
  readonly damaged: readonly FoundDamage[];
}

function parseStored(text: string): Stored {
  const root = objectOf(JSON.parse(text));
  if (root["format"] !== FORMAT) throw new TypeError("the format is unknown");
  const volumes = Object.entries(objectOf(root["volumes"])).map(([id, value]) => {
    const each = objectOf(value);
    const progress: ScrubProgress = {
      revision: countOf(each["revision"]),
      positionBytes: countOf(each["position_bytes"]),
      finishedMs: countOf(each["finished_ms"]),
    };
    return [volumeId(countOf(Number(id))), progress] as const;
  });
  const damaged = root["damaged"];
  if (!Array.isArray(damaged)) throw new TypeError("there is no list");
  return { volumes, damaged: damaged.map(parseDamage) };
}

function parseDamage(value: unknown): FoundDamage {
  const each = objectOf(value);
  return {
    volumeId: volumeId(countOf(each["volume_id"])),
    what: textOf(each["what"]),
    offsetBytes: countOf(each["offset_bytes"]),
    reason: textOf(each["reason"]),
    foundMs: countOf(each["found_ms"]),
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new TypeError("it is no object");
  return value as Readonly<Record<string, unknown>>;
}

function countOf(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError("it is no count");
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("it is no text");
  return value;
}
