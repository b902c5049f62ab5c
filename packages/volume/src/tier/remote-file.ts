import { must } from "@kelp/base";
import type { RemoteBlobs } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { REMOTE_BLOCK_BYTES, REMOTE_BLOCK_COUNT_MAX } from "../limits.ts";
import type { SealedFile } from "../sealed/sealed-content.ts";

/** Where a volume file is. */
export interface RemotePlace {
  readonly blobs: RemoteBlobs;
  /** Name of the store, as it is configured. */
  readonly backend: string;
  readonly key: string;
  readonly sizeBytes: number;
}

/**
 * A volume file that lives elsewhere, read by ranges. The blocks read last are kept, `REMOTE_BLOCK_COUNT_MAX` at most; nothing
 * in them is trusted: whoever reads a needle checks it.
 */
export class RemoteFile implements SealedFile {
  readonly place: RemotePlace;
  /** In the order of their last use. */
  readonly #blocks = new Map<number, Buffer>();
  readonly #coming = new Map<number, Promise<Buffer>>();

  constructor(place: RemotePlace) {
    this.place = place;
  }

  get path(): string {
    return `${this.place.backend}:${this.place.key}`;
  }

  sizeBytes(): number {
    return this.place.sizeBytes;
  }

  /** Throws `remote-failed`. */
  async readAt(target: Uint8Array, offset: number): Promise<number> {
    const length = this.#lengthFrom(offset, target.length);
    for (let done = 0; done < length;) {
      const { block, from, count } = partAt(offset + done, length - done);
      const bytes = await this.#block(block);
      target.set(bytes.subarray(from, from + count), done);
      done += count;
    }
    return length;
  }

  readAtSync(target: Uint8Array, offset: number): number | undefined {
    const length = this.#lengthFrom(offset, target.length);
    for (let done = 0; done < length;) {
      const { block, from, count } = partAt(offset + done, length - done);
      const bytes = this.#kept(block);
      if (bytes === undefined) return undefined;
      target.set(bytes.subarray(from, from + count), done);
      done += count;
    }
    return length;
  }

  /** Bytes may have been damaged on the way, or in memory: they are fetched once more. */
  async readAround(target: Uint8Array, offset: number, isGood: () => boolean): Promise<boolean> {
    const first = Math.floor(offset / REMOTE_BLOCK_BYTES);
    const last = Math.floor((offset + target.length) / REMOTE_BLOCK_BYTES);
    for (let block = first; block <= last; block++) this.#blocks.delete(block);
    await this.readAt(target, offset);
    return isGood();
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#coming.values());
    this.#blocks.clear();
  }

  #kept(block: number): Buffer | undefined {
    const bytes = this.#blocks.get(block);
    if (bytes === undefined) return undefined;
    this.#blocks.delete(block);
    this.#blocks.set(block, bytes);
    return bytes;
  }

  async #block(block: number): Promise<Buffer> {
    const kept = this.#kept(block);
    if (kept !== undefined) return kept;
    let coming = this.#coming.get(block);
    if (coming === undefined) {
      coming = this.#fetch(block).finally(() => this.#coming.delete(block));
      this.#coming.set(block, coming);
    }
    return coming;
  }

  async #fetch(block: number): Promise<Buffer> {
    const { blobs, key, sizeBytes } = this.place;
    const start = block * REMOTE_BLOCK_BYTES;
    const bytes = Buffer.allocUnsafeSlow(Math.min(REMOTE_BLOCK_BYTES, sizeBytes - start));
    let count: number;
    try {
      count = await blobs.read(key, bytes, start);
    } catch (error) {
      throw remoteFailed(`read ${this.path}`, error);
    }
    if (count !== bytes.length) throw remoteFailed(`read ${this.path}: it ends early`, undefined);
    if (this.#blocks.size >= REMOTE_BLOCK_COUNT_MAX) {
      this.#blocks.delete(must(this.#blocks.keys().next().value));
    }
    this.#blocks.set(block, bytes);
    return bytes;
  }

  #lengthFrom(offset: number, length: number): number {
    return Math.max(0, Math.min(length, this.place.sizeBytes - offset));
  }
}

/** What of a run stands in the block where it begins. */
function partAt(offset: number, length: number) {
  const block = Math.floor(offset / REMOTE_BLOCK_BYTES);
  const from = offset - block * REMOTE_BLOCK_BYTES;
  return { block, from, count: Math.min(length, REMOTE_BLOCK_BYTES - from) };
}

export function remoteFailed(action: string, cause: unknown): VolumeError {
  const found = cause instanceof Error ? `: ${cause.message}` : "";
  return new VolumeError("remote-failed", `Cannot ${action}${found}`, { cause });
}
