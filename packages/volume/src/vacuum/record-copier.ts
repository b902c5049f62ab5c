import { type DiskFile, assert } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import { type IndexEntry, REMOVED_SIZE } from "../index/index-entry.ts";
import { type LiveBatch, liveInFileOrder } from "../index/file-order.ts";
import { lastRecordOf } from "../index/index-file.ts";
import type { LastRecord } from "../index/checkpoint-format.ts";
import { NeedleIndex } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import type { Checksums } from "../needle/decode.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { SteadySync } from "../pace/steady-sync.ts";
import { type ExamineSource, type Examined, examine } from "../volume/examine.ts";
import { ReadWindow } from "../volume/read-window.ts";
import type { EntryWriter } from "./entry-writer.ts";

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
}

/** Who is told of the work, and may hold it up. */
export interface CopyMeter {
  /** So many bytes were read or written. May wait, or throw to end the copying. */
  spend(bytes: number): Promise<void>;
  /** So many bytes are in the target. */
  onCopied(bytes: number): void;
}

type Good = Extract<Examined, { kind: "good" }>;

/**
 * Copies records, byte for byte, from one volume file to the end of another, each with its checksum verified.
 *
 * Invariant: replaying the records of the target in their order gives its `index`, as it does for every volume.
 */
export class RecordCopier {
  /** Of the target. */
  readonly index: NeedleIndex;
  readonly #source: CopySource;
  readonly #target: CopyTarget;
  readonly #hashes: Checksums;
  readonly #meter: CopyMeter;
  readonly #block = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  #blockBytes = 0;
  #lastRecord: LastRecord | undefined;
  #writtenBytes: number;
  readonly #syncing: SteadySync;
  /** Everything before was read back. */
  #checkedBytes: number;

  constructor(source: CopySource, target: CopyTarget, hashes: Checksums, meter: CopyMeter) {
    this.#source = source;
    this.#target = target;
    this.index = new NeedleIndex(source.index);
    this.#hashes = hashes;
    this.#meter = meter;
    this.#writtenBytes = target.startBytes;
    this.#syncing = new SteadySync(target.data);
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
    return this.#writtenBytes + this.#blockBytes;
  }

  /**
   * Copies what lives before `endBytes`, in file order. What is removed meanwhile may be left out: its removal, or the record
   * that replaced it, stands behind. Throws `needle-corrupt`.
   */
  async copyLive(endBytes: number, pause: () => Promise<void>): Promise<void> {
    const source = this.#read(this.#source.data, endBytes);
    for await (const batch of liveInFileOrder(this.#source.index, { endBytes, pause })) {
      for (let at = 0; at < batch.count; at++) await this.#copyExpected(source, batch, at);
    }
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
        if (reason !== undefined) throw this.#corrupt(at, reason, examined.header);
        await this.#copy(source, at, examined);
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
    await this.#flush();
    const source = this.#read(this.#target.data, this.#writtenBytes);
    while (this.#checkedBytes < this.#writtenBytes) {
      const at = this.#checkedBytes;
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
    await this.#flush();
    await this.#syncing.finish();
    await this.#target.entries.sync();
  }

  async #copyExpected(source: ExamineSource, batch: LiveBatch, at: number): Promise<void> {
    const expected = {
      idHigh: batch.idHighs[at] ?? 0,
      idLow: batch.idLows[at] ?? 0,
      bodyBytes: batch.bodyBytes[at] ?? 0,
    };
    const offsetBytes = batch.offsetBytes[at] ?? 0;
    if (!this.#lives(expected, offsetBytes)) return;
    const examined = await examine(source, offsetBytes);
    const reason = misfitOf(examined, expected);
    if (reason === undefined) {
      await this.#copy(source, offsetBytes, examined);
    } else if (this.#lives(expected, offsetBytes)) {
      throw this.#corrupt(offsetBytes, reason, expected);
    }
  }

  #lives({ idHigh, idLow }: NeedleName, offsetBytes: number): boolean {
    return this.#source.index.find(idHigh, idLow)?.offsetBytes === offsetBytes;
  }

  async #copy(source: ExamineSource, offsetBytes: number, examined: Examined): Promise<void> {
    assert(examined.kind === "good", "only what is whole is copied");
    const { idHigh, idLow, bodyBytes } = examined.header;
    const at = this.endBytes;
    await this.#transfer(source, offsetBytes, examined);
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
    await this.#transfer(source, offsetBytes, examined);
    this.index.remove(idHigh, idLow, { hasTombstone: true });
    await this.#addEntry({ idHigh, idLow, offsetBytes: at, bodyBytes: REMOVED_SIZE });
  }

  async #addEntry(entry: IndexEntry): Promise<void> {
    this.#lastRecord = lastRecordOf(entry, this.index.recordBytes);
    await this.#target.entries.add(entry);
  }

  /** The bytes of one record. Most are in the window still, since they were just examined. */
  async #transfer(source: ExamineSource, offsetBytes: number, { endBytes }: Good): Promise<void> {
    let at = offsetBytes;
    while (at < endBytes) {
      const wanted = Math.min(endBytes - at, source.window.capacity);
      const piece = await source.window.borrow(at, wanted);
      if (piece.length !== wanted) throw this.#corrupt(offsetBytes, "the volume file ends in it");
      await this.#write(piece);
      at += wanted;
      this.#meter.onCopied(wanted);
      await this.#meter.spend(2 * wanted);
    }
  }

  async #write(piece: Uint8Array): Promise<void> {
    if (this.#blockBytes + piece.length > this.#block.length) await this.#flush();
    this.#block.set(piece, this.#blockBytes);
    this.#blockBytes += piece.length;
  }

  async #flush(): Promise<void> {
    if (this.#blockBytes === 0) return;
    await this.#target.data.writeAt(
      [this.#block.subarray(0, this.#blockBytes)],
      this.#writtenBytes,
    );
    const writtenBytes = this.#blockBytes;
    this.#writtenBytes += writtenBytes;
    this.#blockBytes = 0;
    await this.#syncing.wrote(writtenBytes);
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

interface NeedleName {
  readonly idHigh: number;
  readonly idLow: number;
}

/** Why what stands there is not the needle that should, if it is not. */
function misfitOf(
  examined: Examined,
  expected: NeedleName & { readonly bodyBytes: number },
): string | undefined {
  if (examined.kind === "unreadable") return "no record stands there";
  const { idHigh, idLow, bodyBytes } = examined.header;
  if (idHigh !== expected.idHigh || idLow !== expected.idLow) return "another needle stands there";
  if (examined.kind === "damaged") return examined.reason;
  return bodyBytes === expected.bodyBytes ? undefined : "record has another size";
}
