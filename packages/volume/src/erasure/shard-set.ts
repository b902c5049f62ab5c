import {
  type DiskFile,
  type ErasureCode,
  type Log,
  Semaphore,
  type ShardPiece,
  assert,
  must,
} from "@kelp/base";
import { VolumeError } from "../errors.ts";
import { ERASURE_PIECE_BYTES, RECOVERY_BYTES_MAX, RECOVERY_COUNT_MAX } from "../limits.ts";
import type { Checksums } from "../needle/decode.ts";
import type { SealedFile } from "../sealed/sealed-content.ts";
import type { BitrotProtection } from "./bitrot-file.ts";
import {
  type ErasureLayout,
  type Segment,
  segmentsOf,
  shardBytesOf,
  shardCountOf,
} from "./layout.ts";

export interface ShardSetOptions {
  /** For messages: the path of the volume's files without extension. */
  readonly path: string;
  readonly layout: ErasureLayout;
  readonly code: ErasureCode;
  /** By number; all of the length that the layout gives them. The set closes them. */
  readonly shards: ReadonlyMap<number, DiskFile>;
  readonly protection: BitrotProtection | undefined;
  readonly hashes: Checksums;
  readonly log: Log;
}

/**
 * The bytes of a volume file, read from its shards: from the shard where they stand, or made of others while that shard is
 * missing or the block of it is known to be damaged. Blocks are those of the checksum file.
 */
export class ShardSet implements SealedFile {
  readonly path: string;
  readonly layout: ErasureLayout;
  readonly protection: BitrotProtection | undefined;
  readonly #code: ErasureCode;
  readonly #shards: ReadonlyMap<number, DiskFile>;
  readonly #hashes: Checksums;
  readonly #log: Log;
  readonly #damaged = new Map<number, Set<number>>();
  readonly #recoveries = new Semaphore(RECOVERY_COUNT_MAX);
  readonly #inquiries = new Semaphore(1);

  constructor(options: ShardSetOptions) {
    this.path = options.path;
    this.layout = options.layout;
    this.protection = options.protection;
    this.#code = options.code;
    this.#shards = options.shards;
    this.#hashes = options.hashes;
    this.#log = options.log;
  }

  get blockBytes(): number {
    return this.protection?.blockBytes ?? this.layout.checksumBlockBytes;
  }

  get shardBytes(): number {
    return shardBytesOf(this.layout);
  }

  /** Numbers of the shards that are absent, or of which a block is damaged; ascending. */
  get missingShards(): number[] {
    return allShards(this.layout).filter(
      (shard) => !this.#shards.has(shard) || this.#damaged.has(shard),
    );
  }

  get presentShards(): number[] {
    return [...this.#shards.keys()].sort((left, right) => left - right);
  }

  sizeBytes(): number {
    return this.layout.fileBytes;
  }

  /** `undefined` when it would have to wait: a shard is missing or refused. */
  readAtSync(target: Uint8Array, offset: number): number | undefined {
    const length = this.#lengthFrom(offset, target.length);
    let done = 0;
    for (const segment of segmentsOf(this.layout, offset, length)) {
      const file = this.#shards.get(segment.shard);
      if (file === undefined || !this.isUsable(segment.shard, segment)) return undefined;
      const piece = target.subarray(done, done + segment.lengthBytes);
      try {
        if (file.readAtSync(piece, segment.offsetBytes) !== piece.length) return undefined;
      } catch {
        // The read that waits meets the same error, and tells of it.
        return undefined;
      }
      done += segment.lengthBytes;
    }
    return done;
  }

  /** Throws `too-few-shards` when what is missing cannot be made of what is there. */
  async readAt(target: Uint8Array, offset: number): Promise<number> {
    const length = this.#lengthFrom(offset, target.length);
    let done = 0;
    for (const segment of segmentsOf(this.layout, offset, length)) {
      await this.#readSegment(target.subarray(done, done + segment.lengthBytes), segment);
      done += segment.lengthBytes;
    }
    return done;
  }

  /** Reads a run of one shard as it stands on disk, unchecked; `false` when that fails, and it is then not trusted further. */
  async readShard(shard: number, target: Uint8Array, offset: number): Promise<boolean> {
    const file = this.#shards.get(shard);
    if (file === undefined) return false;
    try {
      if ((await file.readAt(target, offset)) === target.length) return true;
      this.distrust(shard, offset, "it ends early");
    } catch (error) {
      this.distrust(shard, offset, error);
    }
    return false;
  }

  /** Whether all blocks of the shard that the run touches are there and not known to be damaged. */
  isUsable(shard: number, run: Pick<Segment, "offsetBytes" | "lengthBytes">): boolean {
    if (!this.#shards.has(shard)) return false;
    const damaged = this.#damaged.get(shard);
    if (damaged === undefined) return true;
    return this.#blocksOf(run).every((block) => !damaged.has(block));
  }

  /** Reads of the block around `offset` go around this shard from now on. */
  distrust(shard: number, offset: number, reason: unknown): void {
    const block = Math.floor(offset / this.blockBytes);
    const damaged = this.#damaged.get(shard) ?? new Set();
    if (damaged.has(block)) return;
    damaged.add(block);
    this.#damaged.set(shard, damaged);
    this.#log.error("a block of a shard is quarantined", {
      path: this.path,
      shard,
      offset_bytes: block * this.blockBytes,
      reason,
    });
  }

  /** The block was found to agree with its checksum: somebody put it right. Without a checksum nothing can tell. */
  trust(shard: number, block: number): void {
    const damaged = this.#damaged.get(shard);
    if (damaged === undefined || this.checksumOf(shard, block) === undefined) return;
    damaged.delete(block);
    if (damaged.size === 0) this.#damaged.delete(shard);
  }

  /**
   * Whether the block agrees with its checksum; quarantines it when not. `true` when there is no checksum. `spend` is told of bytes
   * read, and may wait.
   */
  async verifyBlock(
    shard: number,
    block: number,
    spend: (bytes: number) => Promise<void> = NO_PACE,
  ): Promise<boolean> {
    const start = block * this.blockBytes;
    const end = Math.min(start + this.blockBytes, this.shardBytes);
    const expected = this.checksumOf(shard, block);
    const buffer = Buffer.allocUnsafeSlow(Math.min(ERASURE_PIECE_BYTES, end - start));
    let found = 0;
    for (let at = start; at < end; at += buffer.length) {
      const piece = buffer.subarray(0, Math.min(buffer.length, end - at));
      if (!(await this.readShard(shard, piece, at))) return false;
      found = this.#hashes.crc32c(piece, found);
      await spend(piece.length);
    }
    if (expected === undefined || found === expected) return true;
    this.distrust(shard, start, "its checksum does not fit");
    return false;
  }

  /** What the checksum file says of a block; `undefined` when nothing. */
  checksumOf(shard: number, block: number): number | undefined {
    const known = this.protection?.shards.find((each) => each.shard === shard);
    return known?.coveredBytes === this.shardBytes ? known.blocks[block] : undefined;
  }

  /**
   * Bytes were read that are not good: finds the shards to blame, and reads again around them. Whether `target` holds
   * good bytes at the end.
   */
  async readAround(target: Uint8Array, offset: number, isGood: () => boolean): Promise<boolean> {
    // One at a time: an inquiry reads much, and the one before may have found the cause.
    using _permit = await this.#inquiries.acquire();
    await this.readAt(target, offset);
    if (isGood()) return true;
    const segments = segmentsOf(this.layout, offset, this.#lengthFrom(offset, target.length));
    if (await this.#findDamage(segments)) {
      await this.readAt(target, offset);
      if (isGood()) return true;
    }
    return await this.#tryWithout(target, offset, { segments, isGood });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#shards.values()].map((file) => file.close()));
  }

  /**
   * Makes `wanted` pieces, all from `offset`, of any `dataShards` others that are usable there. Throws `too-few-shards`.
   * `excluded` shards are not used either.
   */
  async recover(
    wanted: readonly ShardPiece[],
    offset: number,
    excluded: readonly number[] = [],
  ): Promise<void> {
    const lengthBytes = must(wanted[0]).bytes.length;
    for (;;) {
      const sources = this.#sourcesFor(wanted, { offsetBytes: offset, lengthBytes }, excluded);
      const pieces = sources.map((shard) => ({
        shard,
        bytes: Buffer.allocUnsafeSlow(lengthBytes),
      }));
      const results = await Promise.all(
        pieces.map((piece) => this.readShard(piece.shard, piece.bytes, offset)),
      );
      // What refused is distrusted, so each turn has fewer to choose from.
      if (!results.every(Boolean)) continue;
      this.#code.reconstruct(pieces, wanted);
      return;
    }
  }

  #sourcesFor(
    wanted: readonly ShardPiece[],
    run: Pick<Segment, "offsetBytes" | "lengthBytes">,
    excluded: readonly number[],
  ): number[] {
    const usable = this.presentShards.filter(
      (shard) =>
        !excluded.includes(shard) &&
        wanted.every((piece) => piece.shard !== shard) &&
        this.isUsable(shard, run),
    );
    if (usable.length < this.layout.dataShards) throw this.#tooFew(usable);
    return usable.slice(0, this.layout.dataShards);
  }

  async #readSegment(target: Uint8Array, segment: Segment): Promise<void> {
    if (this.isUsable(segment.shard, segment)) {
      if (await this.readShard(segment.shard, target, segment.offsetBytes)) return;
    }
    await this.#recoverSegment(target, segment, []);
  }

  async #recoverSegment(
    target: Uint8Array,
    segment: Segment,
    excluded: readonly number[],
  ): Promise<void> {
    using _permit = await this.#recoveries.acquire();
    for (let at = 0; at < target.length; at += RECOVERY_BYTES_MAX) {
      const bytes = target.subarray(at, at + RECOVERY_BYTES_MAX);
      await this.recover([{ shard: segment.shard, bytes }], segment.offsetBytes + at, excluded);
    }
  }

  /** Verifies the blocks of all shards in the rows of the segments; whether one was found to be damaged. */
  async #findDamage(segments: readonly Segment[]): Promise<boolean> {
    if (this.protection === undefined) return false;
    let isFound = false;
    for (const block of new Set(segments.flatMap((segment) => this.#blocksOf(segment)))) {
      for (const shard of this.presentShards) {
        const run = { offsetBytes: block * this.blockBytes, lengthBytes: 1 };
        if (!this.isUsable(shard, run)) continue;
        if (!(await this.verifyBlock(shard, block))) isFound = true;
      }
    }
    return isFound;
  }

  /** Without checksums a damaged shard shows when the bytes are good without it. */
  async #tryWithout(
    target: Uint8Array,
    offset: number,
    doubt: { readonly segments: readonly Segment[]; readonly isGood: () => boolean },
  ): Promise<boolean> {
    for (const suspect of new Set(doubt.segments.map((segment) => segment.shard))) {
      let done = 0;
      for (const segment of doubt.segments) {
        const piece = target.subarray(done, done + segment.lengthBytes);
        if (segment.shard !== suspect) await this.#readSegment(piece, segment);
        else if (!(await this.#canRecover(piece, segment))) break;
        done += segment.lengthBytes;
      }
      if (done !== this.#lengthFrom(offset, target.length) || !doubt.isGood()) continue;
      for (const segment of doubt.segments) {
        if (segment.shard === suspect) {
          this.distrust(suspect, segment.offsetBytes, "a needle is good without it");
        }
      }
      return true;
    }
    return false;
  }

  async #canRecover(target: Uint8Array, segment: Segment): Promise<boolean> {
    try {
      await this.#recoverSegment(target, segment, []);
      return true;
    } catch (error) {
      if (error instanceof VolumeError && error.code === "too-few-shards") return false;
      throw error;
    }
  }

  #blocksOf(run: Pick<Segment, "offsetBytes" | "lengthBytes">): number[] {
    const first = Math.floor(run.offsetBytes / this.blockBytes);
    const last = Math.floor((run.offsetBytes + run.lengthBytes - 1) / this.blockBytes);
    return Array.from({ length: last - first + 1 }, (_block, index) => first + index);
  }

  #lengthFrom(offset: number, length: number): number {
    assert(offset >= 0, "a read begins in the file");
    return Math.max(0, Math.min(length, this.layout.fileBytes - offset));
  }

  #tooFew(usable: readonly number[]): VolumeError {
    const { dataShards } = this.layout;
    const there = usable.length === 0 ? "none" : usable.join(", ");
    return new VolumeError(
      "too-few-shards",
      `Cannot read ${this.path}: ${usable.length} shards can be used (${there}), ${dataShards} are needed`,
    );
  }
}

const NO_PACE = (): Promise<void> => Promise.resolve();

function allShards(layout: ErasureLayout): number[] {
  return Array.from({ length: shardCountOf(layout) }, (_shard, index) => index);
}
