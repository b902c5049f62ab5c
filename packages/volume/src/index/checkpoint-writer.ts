import { type Disk, type DiskFile, assert } from "@kelp/base";
import { CHECKPOINT_SYNC_BYTES, CHECKPOINT_WRITE_BYTES } from "../limits.ts";
import type { Checksums } from "../needle/decode.ts";
import {
  type CheckpointHeader,
  encodeCheckpointHeader,
  encodeLeafHeader,
} from "./checkpoint-format.ts";
import { strideOf } from "./leaf-shape.ts";
import type { IndexSnapshot } from "./index-snapshot.ts";

export interface CheckpointTarget {
  readonly disk: Disk;
  readonly hashes: Checksums;
  readonly folder: string;
  readonly path: string;
}

/** What a checkpoint says besides its leaves. */
export type CheckpointFacts = Omit<CheckpointHeader, "leafCount" | "counters">;

/**
 * Writes a checkpoint under a temporary name, a piece at a time so that no sync has much to do, and puts it in the
 * place of the earlier one. Durable, its name included, when this resolves to `true`; `false`: the
 * snapshot was lost meanwhile, and the earlier checkpoint stays. Throws `DiskError`; the earlier one stays, too.
 */
export async function writeCheckpoint(
  target: CheckpointTarget,
  facts: CheckpointFacts,
  snapshot: IndexSnapshot,
): Promise<boolean> {
  const { disk, path, folder } = target;
  const temporary = `${path}.tmp`;
  let isWhole = false;
  try {
    isWhole = await writeAll(target, temporary, facts, snapshot);
  } finally {
    // On a full disk what was written is in the way of others.
    if (!isWhole && (await disk.exists(temporary))) await disk.remove(temporary);
  }
  if (!isWhole) return false;
  await disk.rename(temporary, path);
  await disk.syncFolder(folder);
  return true;
}

async function writeAll(
  { disk, hashes }: CheckpointTarget,
  temporary: string,
  facts: CheckpointFacts,
  snapshot: IndexSnapshot,
): Promise<boolean> {
  await using file = await disk.open(temporary, { access: "read-write", create: true });
  await file.truncate(0);
  const pieces = new PieceWriter(file);
  const leafCount = snapshot.leaves.length;
  const { counters } = snapshot;
  await pieces.add(encodeCheckpointHeader({ ...facts, leafCount, counters }, hashes));
  for (let index = 0; index < leafCount; index++) {
    if (snapshot.isLost) return false;
    const leaf = snapshot.leaves[index];
    assert(leaf !== undefined, "a snapshot that is not lost has all its leaves");
    const rows = leaf.rows.subarray(0, leaf.count * strideOf(leaf));
    const header = encodeLeafHeader(leaf, leaf.count, rows, hashes);
    snapshot.leaves[index] = undefined;
    await pieces.add(header, rows);
  }
  await pieces.finish();
  return true;
}

/** Gathers parts into writes of some size, and syncs now and then. */
class PieceWriter {
  readonly #file: DiskFile;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #endBytes = 0;
  #unsyncedBytes = 0;

  constructor(file: DiskFile) {
    this.#file = file;
  }

  /** The parts are borrowed until the next call resolves. */
  async add(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      this.#parts.push(part);
      this.#partBytes += part.length;
    }
    if (this.#partBytes < CHECKPOINT_WRITE_BYTES) return;
    await this.#write();
    if (this.#unsyncedBytes < CHECKPOINT_SYNC_BYTES) return;
    await this.#file.sync();
    this.#unsyncedBytes = 0;
  }

  async finish(): Promise<void> {
    await this.#write();
    await this.#file.sync();
  }

  async #write(): Promise<void> {
    await this.#file.writeAt(this.#parts, this.#endBytes);
    this.#endBytes += this.#partBytes;
    this.#unsyncedBytes += this.#partBytes;
    this.#parts = [];
    this.#partBytes = 0;
  }
}
