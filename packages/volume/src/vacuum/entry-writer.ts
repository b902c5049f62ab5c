import { type DiskFile, assert } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import {
  type IndexEntry,
  type OffsetWidth,
  indexEntryBytes,
  writeIndexEntry,
} from "../index/index-entry.ts";
import { SteadySync } from "../pace/steady-sync.ts";
import type { Checksums } from "../needle/decode.ts";

/** Entries that are written and read back together. */
const BLOCK_ENTRIES = 4096;

/**
 * Writes a new index file. Unlike the one of a volume in use it must be whole: a failed write is thrown, and what was written
 * is read back.
 */
export class EntryWriter {
  readonly #file: DiskFile;
  readonly #hashes: Checksums;
  readonly #width: OffsetWidth;
  readonly #block: Buffer;
  readonly #syncing: SteadySync;
  #blockBytes = 0;
  #writtenBytes = 0;
  #checkedBytes = 0;
  /** Of what was written since `check`. */
  #checksum = 0;

  constructor(file: DiskFile, width: OffsetWidth, hashes: Checksums) {
    this.#file = file;
    this.#hashes = hashes;
    this.#width = width;
    this.#syncing = new SteadySync(file);
    this.#block = Buffer.allocUnsafeSlow(BLOCK_ENTRIES * indexEntryBytes(width));
  }

  /** Length of the file once all is flushed. */
  get endBytes(): number {
    return this.#writtenBytes + this.#blockBytes;
  }

  async add(entry: IndexEntry): Promise<void> {
    writeIndexEntry(this.#block, this.#blockBytes, entry, this.#width);
    this.#blockBytes += indexEntryBytes(this.#width);
    if (this.#blockBytes === this.#block.length) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#blockBytes === 0) return;
    const block = this.#block.subarray(0, this.#blockBytes);
    await this.#file.writeAt([block], this.#writtenBytes);
    this.#checksum = this.#hashes.crc32c(block, this.#checksum);
    this.#writtenBytes += block.length;
    this.#blockBytes = 0;
    await this.#syncing.wrote(block.length);
  }

  /** Makes everything that was added durable. */
  async sync(): Promise<void> {
    await this.flush();
    await this.#syncing.finish();
  }

  /**
   * Flushes, and reads back what was written since the last time; `spend` is told of bytes read, and may wait. Throws `read-failed`
   * when something else stands there.
   */
  async check(spend: (bytes: number) => Promise<void>): Promise<void> {
    await this.flush();
    const buffer = Buffer.allocUnsafeSlow(this.#block.length);
    let found = 0;
    while (this.#checkedBytes < this.#writtenBytes) {
      const wanted = Math.min(buffer.length, this.#writtenBytes - this.#checkedBytes);
      const count = await this.#file.readAt(buffer.subarray(0, wanted), this.#checkedBytes);
      if (count !== wanted) break;
      found = this.#hashes.crc32c(buffer.subarray(0, wanted), found);
      this.#checkedBytes += wanted;
      await spend(wanted);
    }
    if (found !== this.#checksum || this.#checkedBytes !== this.#writtenBytes) {
      throw new VolumeError(
        "read-failed",
        `Cannot write index file ${this.#file.path}: what was written reads back differently`,
      );
    }
    assert(this.#checkedBytes === this.endBytes, "all that was written is checked");
    this.#checksum = 0;
  }
}
