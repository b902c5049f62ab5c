import { type DiskFile, type Log, assert } from "@kelp/base";
import { INDEX_PENDING_BYTES_MAX } from "../limits.ts";
import { INDEX_ENTRY_BYTES } from "./index-entry.ts";

/**
 * The end of an index file, to which entries are added.
 *
 * Invariant: the file holds a prefix of the volume's history. It is never synced before an append is
 * answered, because what is missing at its end is found again in the volume file. So a failed write
 * loses nothing: its entries wait for the next write, and when too many wait the file stays behind
 * until the volume is opened again.
 */
export class IndexFile {
  readonly #file: DiskFile;
  readonly #log: Log;
  #endBytes: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | undefined;
  #isBehind = false;

  constructor(file: DiskFile, endBytes: number, log: Log) {
    assert(endBytes % INDEX_ENTRY_BYTES === 0, "an index file holds whole entries");
    this.#file = file;
    this.#endBytes = endBytes;
    this.#log = log;
  }

  /** Takes `entries` (whole entries; the memory is the file's from now on) and returns before they are written. */
  append(entries: Uint8Array): void {
    assert(entries.length % INDEX_ENTRY_BYTES === 0, "an index file takes whole entries");
    if (this.#isBehind || entries.length === 0) return;
    if (this.#pendingBytes + entries.length > INDEX_PENDING_BYTES_MAX) {
      this.#isBehind = true;
      this.#pending = [];
      this.#pendingBytes = 0;
      this.#log.warn("index file stays behind until the volume is opened again", {
        path: this.#file.path,
        end_bytes: this.#endBytes,
      });
      return;
    }
    this.#pending.push(entries);
    this.#pendingBytes += entries.length;
    this.#writing ??= this.#write();
  }

  /** Resolves when nothing is being written. */
  async settle(): Promise<void> {
    await this.#writing;
  }

  /** Writes what waits, syncs and closes. A failure to write is logged: the volume file has it all. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#pendingBytes > 0) await this.#write();
    try {
      await this.#file.sync();
    } catch (error) {
      this.#log.warn("cannot sync an index file", { path: this.#file.path, error });
    }
    await this.#file.close();
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const entries = [...this.#pending];
      const bytes = this.#pendingBytes;
      try {
        await this.#file.writeAt(entries, this.#endBytes);
      } catch (error) {
        // They are written again, at the same place, with the next ones.
        this.#log.warn("cannot write to an index file", { path: this.#file.path, error });
        break;
      }
      this.#endBytes += bytes;
      if (this.#isBehind) break;
      this.#pending.splice(0, entries.length);
      this.#pendingBytes -= bytes;
    }
    // In the same turn as the last look at what waits, so that an append cannot slip between.
    this.#writing = undefined;
  }
}
