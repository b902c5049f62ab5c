import { type DiskFile, assert } from "@kelp/base";
import type { Damage, VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { type IndexEntry, REMOVED_SIZE } from "../index/index-entry.ts";
import { liveInFileOrder } from "../index/file-order.ts";
import { lastRecordOf } from "../index/index-file.ts";
import type { LastRecord } from "../index/checkpoint-format.ts";
import { NeedleIndex } from "../index/needle-index.ts";
import { DAMAGE_COUNT_MAX, WALK_BUFFER_BYTES } from "../limits.ts";
import type { Checksums } from "../needle/decode.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { type ExamineSource, type Examined, examine } from "../volume/examine.ts";
import { ReadWindow } from "../volume/read-window.ts";
import { walkRecords } from "../volume/walk.ts";
import { BlockWriter } from "./block-writer.ts";
import type { EntryWriter } from "./entry-writer.ts";
import {
  type ExpectedNeedle,
  type NeedleName,
  expectedAt,
  hasHeaderOf,
  misfitOf,
} from "./expected-needle.ts";
import { type Suspect, Suspects } from "./suspects.ts";

export interface CopySource {
  readonly data: DiskFile;
  /** Says what lives. It may change while copying goes on. */
  readonly index: NeedleIndex;
}

export interface CopyTarget {
  readonly data: DiskFile;
  readonly entries: EntryWriter;
  /** Where the first record goes. */
  readonly startBytes: number;
  /** Empty; one like that of the source unless given. */
  readonly index?: NeedleIndex;
}

/** Who is told of the work, and may hold it up. */
export interface CopyMeter {
  /** So many bytes were read or written. May wait, or throw to end the copying. */
  spend(bytes: number): Promise<void>;
  /** So many bytes are in the target. */
  onCopied(bytes: number): void;
}

/** A damaged record that lives. It is in the target as it was found, so that it goes on failing its checks. */
interface CarriedRecord extends NeedleName {
  /** Where it stands in the target. */
  readonly offsetBytes: number;
  readonly recordBytes: number;
  /** CRC-32C of all its bytes. */
  readonly sum: number;
  readonly reason: string;
}

/**
 * Copies records, byte for byte, from one volume file to the end of another, each with its checksum verified. What is damaged
 * and lives is copied too, as it is, and named in `carried`: dropping it would make the damage final, and refusing would keep
 * all garbage around it.
 *
 * Invariant: replaying the records of the target in their order gives its `index`, as it does for every volume, but for
 * records whose header is damaged, which only the index names.
 */
export class RecordCopier {
  /** Of the target. */
  readonly index: NeedleIndex;
  readonly #source: CopySource;
  readonly #target: CopyTarget;
  readonly #hashes: Checksums;
  readonly #meter: CopyMeter;
  readonly #out: BlockWriter;
  #lastRecord: LastRecord | undefined;
  /** Everything before was read back. */
  #checkedBytes: number;
  /** By place in the target. */
  readonly #carried = new Map<number, CarriedRecord>();

  constructor(source: CopySource, target: CopyTarget, hashes: Checksums, meter: CopyMeter) {
    this.#source = source;
    this.#target = target;
    this.index = target.index ?? new NeedleIndex(source.index);
    this.#hashes = hashes;
    this.#meter = meter;
    this.#out = new BlockWriter(target.data, target.startBytes);
    this.#checkedBytes = target.startBytes;
  }

  get startBytes(): number {
    return this.#target.startBytes;
  }

  /** The one that ends at `endBytes`. */
  get lastRecord(): LastRecord | undefined {
    return this.#lastRecord;
  }

  /** Where the next record goes. */
  get endBytes(): number {
    return this.#out.endBytes;
  }

  /** What was carried over damaged and lives still, at its place in the target. */
  damagedOf(id: VolumeId): readonly Damage[] {
    const damaged: Damage[] = [];
    for (const { idHigh, idLow, offsetBytes, reason } of this.#carried.values()) {
      if (this.index.find(idHigh, idLow)?.offsetBytes !== offsetBytes) continue;
      const what = joinIdHalves(idHigh, idLow).toString(16);
      damaged.push({ volumeId: id, what, offsetBytes, reason });
    }
    return damaged;
  }

  /** Adds a record that was made from one of the source. `damage`: why it fails its checks, where it does. */
  async add(record: Buffer, needle: ExpectedNeedle, damage: string | undefined): Promise<void> {
    const { idHigh, idLow, bodyBytes } = needle;
    const at = this.endBytes;
    assert(record.length === this.index.recordBytes(bodyBytes), "a record is whole");
    await this.#out.write(record);
    if (damage !== undefined) {
      this.#refuseTooMany(needle, damage);
      const [recordBytes, sum] = [record.length, this.#hashes.crc32c(record)];
      this.#carried.set(at, { idHigh, idLow, offsetBytes: at, recordBytes, sum, reason: damage });
    }
    this.index.put(idHigh, idLow, at, bodyBytes);
    await this.#addEntry({ idHigh, idLow, offsetBytes: at, bodyBytes });
    this.#meter.onCopied(record.length);
    await this.#meter.spend(record.length);
  }

  /**
   * Copies what lives before `endBytes`, in file order. What is removed meanwhile may be left out: its removal, or the record
   * that replaced it, stands behind. Throws `needle-corrupt` when it may be the index that is wrong, see `#clear`.
   */
  async copyLive(endBytes: number, pause: () => Promise<void>): Promise<void> {
    const source = this.#read(this.#source.data, endBytes);
    const suspects: Suspect[] = [];
    for await (const batch of liveInFileOrder(this.#source.index, { endBytes, pause })) {
      for (let at = 0; at < batch.count; at++) {
        const suspect = await this.#copyExpected(source, expectedAt(batch, at));
        if (suspect !== undefined) suspects.push(suspect);
      }
    }
    if (suspects.length > 0) await this.#clear(suspects, endBytes);
  }

  /** Follows what was appended from `startBytes` to `endBytes`: the new needles that live, and the removals of copied ones. */
  async copyChanges(startBytes: number, endBytes: number): Promise<void> {
    const source = this.#read(this.#source.data, endBytes);
    for (let at = startBytes; at < endBytes;) {
      const examined = await examine(source, at);
      if (examined.kind === "unreadable") throw this.#corrupt(at, "no record stands there");
      const { idHigh, idLow, bodyBytes } = examined.header;
      if (this.#lives(examined.header, at)) {
        const reason = misfitOf(examined, examined.header);
        if (reason === undefined) await this.#copy(source, at, examined);
        else await this.#carry(source, { ...examined.header, offsetBytes: at }, reason);
      } else if (bodyBytes === 0 && this.index.find(idHigh, idLow) !== undefined) {
        await this.#copyTombstone(source, at, examined);
      } else {
        await this.#meter.spend(examined.endBytes - at);
      }
      at = examined.endBytes;
    }
  }

  /** So that the highest id ever seen is not forgotten with its needle: a removal without a record, in the index file alone. */
  async keepHighestId(): Promise<void> {
    const highest = this.#source.index.needleIdMax;
    if (highest <= this.index.needleIdMax) return;
    const idHigh = Number(highest >> 32n);
    const idLow = Number(BigInt.asUintN(32, highest));
    this.index.remove(idHigh, idLow, { hasTombstone: false });
    await this.#target.entries.add({ idHigh, idLow, offsetBytes: 0, bodyBytes: REMOVED_SIZE });
  }

  /** Reads back everything written since the last time: whole records, one after another, at the places of the index. */
  async check(): Promise<void> {
    await this.#out.flush();
    const source = this.#read(this.#target.data, this.endBytes);
    while (this.#checkedBytes < this.endBytes) {
      const at = this.#checkedBytes;
      const carried = this.#carried.get(at);
      if (carried !== undefined) {
        await this.#checkCarried(source, carried);
        continue;
      }
      const examined = await examine(source, at);
      if (examined.kind !== "good") throw this.#unfaithful(at);
      const { idHigh, idLow, bodyBytes } = examined.header;
      const location = this.index.find(idHigh, idLow);
      if (location?.offsetBytes === at && location.bodyBytes !== bodyBytes) {
        throw this.#unfaithful(at);
      }
      if (this.index.knows(idHigh, idLow) === "unknown") throw this.#unfaithful(at);
      this.#checkedBytes = examined.endBytes;
      await this.#meter.spend(examined.endBytes - at);
    }
    await this.#target.entries.check((bytes) => this.#meter.spend(bytes));
  }

  /** Makes everything written durable, entries included. */
  async sync(): Promise<void> {
    await this.#out.sync();
    await this.#target.entries.sync();
  }

  /** Returns the needle when nothing of its name stands where the index says. */
  async #copyExpected(
    source: ExamineSource,
    expected: ExpectedNeedle,
  ): Promise<Suspect | undefined> {
    const { offsetBytes } = expected;
    if (!this.#lives(expected, offsetBytes)) return undefined;
    const examined = await examine(source, offsetBytes);
    const reason = misfitOf(examined, expected);
    if (reason === undefined) {
      await this.#copy(source, offsetBytes, examined);
      return undefined;
    }
    if (!this.#lives(expected, offsetBytes)) return undefined;
    await this.#carry(source, expected, reason);
    return hasHeaderOf(examined, expected) ? undefined : { ...expected, reason };
  }

  /**
   * Of a header that does not fit it cannot be told at once whether the record is damaged or the index names a wrong place, and
   * then the real record would not be copied. So the whole file is walked, see `Suspects`; a place that remains in doubt ends
   * the vacuum, and making the index anew settles it.
   */
  async #clear(all: readonly Suspect[], endBytes: number): Promise<void> {
    const source = this.#read(this.#source.data, endBytes);
    const suspects = new Suspects(all, this.#source.index);
    for await (const step of walkRecords(source, this.startBytes)) {
      suspects.observe(step);
      if (step.kind !== "record") continue;
      await this.#meter.spend(this.index.recordBytes(step.header.bodyBytes));
    }
    const doubt = suspects.doubt((suspect) => this.#lives(suspect, suspect.offsetBytes));
    if (doubt === undefined) return;
    const { suspect, elsewhereBytes } = doubt;
    const found = `${suspect.reason}, and a record of that name at ${elsewhereBytes}; the index may be wrong: kelp fsck --rebuild-index`;
    throw this.#corrupt(suspect.offsetBytes, found, suspect);
  }

  /** The bytes of a damaged record, as many as the index says. */
  async #carry(source: ExamineSource, expected: ExpectedNeedle, reason: string): Promise<void> {
    this.#refuseTooMany(expected, reason);
    const { idHigh, idLow, offsetBytes, bodyBytes } = expected;
    const at = this.endBytes;
    const recordBytes = this.index.recordBytes(bodyBytes);
    const sum = await this.#transfer(source, offsetBytes, offsetBytes + recordBytes);
    this.#carried.set(at, { idHigh, idLow, offsetBytes: at, recordBytes, sum, reason });
    this.index.put(idHigh, idLow, at, bodyBytes);
    await this.#addEntry({ idHigh, idLow, offsetBytes: at, bodyBytes });
  }

  async #checkCarried(source: ExamineSource, carried: CarriedRecord): Promise<void> {
    const { offsetBytes, recordBytes } = carried;
    const endBytes = offsetBytes + recordBytes;
    let sum = 0;
    for (let at = offsetBytes; at < endBytes; at += source.window.capacity) {
      const piece = await source.window.borrow(at, Math.min(endBytes - at, source.window.capacity));
      sum = this.#hashes.crc32c(piece, sum);
    }
    if (sum !== carried.sum) throw this.#unfaithful(offsetBytes);
    this.#checkedBytes = endBytes;
    await this.#meter.spend(recordBytes);
  }

  #refuseTooMany(needle: ExpectedNeedle, reason: string): void {
    if (this.#carried.size < DAMAGE_COUNT_MAX) return;
    throw this.#corrupt(needle.offsetBytes, `${reason}, and too many others are`, needle);
  }

  #lives({ idHigh, idLow }: NeedleName, offsetBytes: number): boolean {
    return this.#source.index.find(idHigh, idLow)?.offsetBytes === offsetBytes;
  }

  async #copy(source: ExamineSource, offsetBytes: number, examined: Examined): Promise<void> {
    assert(examined.kind === "good", "only what is whole is copied");
    const { idHigh, idLow, bodyBytes } = examined.header;
    const at = this.endBytes;
    await this.#transfer(source, offsetBytes, examined.endBytes);
    this.index.put(idHigh, idLow, at, bodyBytes);
    await this.#addEntry({ idHigh, idLow, offsetBytes: at, bodyBytes });
  }

  async #copyTombstone(
    source: ExamineSource,
    offsetBytes: number,
    examined: Exclude<Examined, { kind: "unreadable" }>,
  ): Promise<void> {
    assert(examined.kind === "good", "a record without a body has nothing that could not fit");
    const { idHigh, idLow } = examined.header;
    const at = this.endBytes;
    await this.#transfer(source, offsetBytes, examined.endBytes);
    this.index.remove(idHigh, idLow, { hasTombstone: true });
    await this.#addEntry({ idHigh, idLow, offsetBytes: at, bodyBytes: REMOVED_SIZE });
  }

  async #addEntry(entry: IndexEntry): Promise<void> {
    this.#lastRecord = lastRecordOf(entry, this.index.recordBytes);
    await this.#target.entries.add(entry);
  }

  /** The bytes of one record; returns their sum. Most are in the window still, since they were just examined. */
  async #transfer(source: ExamineSource, offsetBytes: number, endBytes: number): Promise<number> {
    let at = offsetBytes;
    let sum = 0;
    while (at < endBytes) {
      const wanted = Math.min(endBytes - at, source.window.capacity);
      const piece = await source.window.borrow(at, wanted);
      if (piece.length !== wanted) throw this.#corrupt(offsetBytes, "the volume file ends in it");
      sum = this.#hashes.crc32c(piece, sum);
      await this.#out.write(piece);
      at += wanted;
      this.#meter.onCopied(wanted);
      await this.#meter.spend(2 * wanted);
    }
    return sum;
  }

  /** A window of its own: an earlier one may hold what stood behind the durable end then. */
  #read(file: DiskFile, endBytes: number): ExamineSource {
    return { window: new ReadWindow(file, WALK_BUFFER_BYTES), endBytes, hashes: this.#hashes };
  }

  #corrupt(offsetBytes: number, found: string, name?: NeedleName): VolumeError {
    const what =
      name === undefined
        ? "a record"
        : `needle ${joinIdHalves(name.idHigh, name.idLow).toString(16)}`;
    return new VolumeError(
      "needle-corrupt",
      `Cannot vacuum ${this.#source.data.path}: ${what} at ${offsetBytes} is damaged: ${found}`,
    );
  }

  #unfaithful(offsetBytes: number): VolumeError {
    return new VolumeError(
      "read-failed",
      `Cannot vacuum ${this.#source.data.path}: the copy reads back differently at ${offsetBytes}`,
    );
  }
}
