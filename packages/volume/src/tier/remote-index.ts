import type { DiskFile, Log } from "@kelp/base";
import {
  INDEX_ENTRY_BYTES,
  type IndexEntry,
  REMOVED_SIZE,
  isRemoval,
  readIndexEntry,
  writeIndexEntry,
} from "../index/index-entry.ts";
import { NeedleIndex, type NeedleLocation } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { ALIGNMENT_BYTES } from "../needle/layout.ts";
import { RemovalLog } from "../sealed/removal-log.ts";
import type { SealedIndex } from "../sealed/sealed-content.ts";

/**
 * The index of a volume whose file lives elsewhere: its index file, read into memory. A removal has no tombstone; it is an entry
 * with offset 0, synced before it is acknowledged, because nothing else tells of it.
 */
export class RemoteIndex implements SealedIndex {
  readonly #index = new NeedleIndex();
  readonly #log: RemovalLog;
  #removedCount = 0;

  /** The file is the index's. */
  static async open(file: DiskFile, log: Log): Promise<RemoteIndex> {
    const sizeBytes = await file.sizeBytes();
    const endBytes = sizeBytes - (sizeBytes % INDEX_ENTRY_BYTES);
    const index = new RemoteIndex(new RemovalLog([{ file, endBytes }], encodeRemoval, log));
    await index.#load(file, endBytes);
    return index;
  }

  private constructor(log: RemovalLog) {
    this.#log = log;
  }

  get liveCount(): number {
    return this.#index.liveCount;
  }
  get liveBytes(): number {
    return this.#index.liveBytes;
  }
  get removedCount(): number {
    return this.#removedCount;
  }
  get needleIdMax(): bigint {
    return this.#index.needleIdMax;
  }

  find(idHigh: number, idLow: number): NeedleLocation | undefined {
    return this.#index.find(idHigh, idLow);
  }

  async *entries(): AsyncGenerator<IndexEntry> {
    const all: IndexEntry[] = [];
    this.#index.forEachLive((idHigh, idLow, offsetBytes, bodyBytes) => {
      all.push({ idHigh, idLow, offsetBytes, bodyBytes });
    });
    yield* all;
  }

  async liveOffsetUnits(): Promise<Uint32Array> {
    const units = new Uint32Array(this.#index.liveCount);
    let count = 0;
    this.#index.forEachLive((_high, _low, offsetBytes) => {
      units[count++] = offsetBytes / ALIGNMENT_BYTES;
    });
    return units.sort();
  }

  async remove(idHigh: number, idLow: number): Promise<void> {
    await this.#log.append({ idHigh, idLow });
    if (this.#index.find(idHigh, idLow) === undefined) return;
    this.#index.remove(idHigh, idLow, { hasTombstone: false });
    this.#removedCount++;
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  async #load(file: DiskFile, endBytes: number): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
    for (let at = 0; at < endBytes; at += buffer.length) {
      const bytes = buffer.subarray(0, Math.min(buffer.length, endBytes - at));
      await file.readAt(bytes, at);
      for (let from = 0; from < bytes.length; from += INDEX_ENTRY_BYTES) {
        const entry = readIndexEntry(bytes, from);
        const { idHigh, idLow, offsetBytes, bodyBytes } = entry;
        if (isRemoval(entry)) {
          this.#index.remove(idHigh, idLow, { hasTombstone: offsetBytes > 0 });
          this.#removedCount++;
        } else {
          this.#index.put(idHigh, idLow, offsetBytes, bodyBytes);
        }
      }
    }
  }
}

function encodeRemoval(entries: readonly { readonly idHigh: number; readonly idLow: number }[]) {
  const bytes = Buffer.alloc(entries.length * INDEX_ENTRY_BYTES);
  for (const [index, { idHigh, idLow }] of entries.entries()) {
    const entry = { idHigh, idLow, offsetBytes: 0, bodyBytes: REMOVED_SIZE };
    writeIndexEntry(bytes, index * INDEX_ENTRY_BYTES, entry);
  }
  return bytes;
}
