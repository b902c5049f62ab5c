import type { Disk, DiskFile } from "@kelp/base";
import { LEAF_ENTRIES_MAX, WALK_BUFFER_BYTES } from "../limits.ts";
import type { Checksums } from "../needle/decode.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { ALIGNMENT_BYTES, recordBytesOf } from "../needle/layout.ts";
import { ReadWindow } from "../volume/read-window.ts";
import {
  CHECKPOINT_HEADER_BYTES,
  type CheckpointHeader,
  FINGERPRINT_BYTES,
  LEAF_HEADER_BYTES,
  lastRecordSum,
  leafFits,
  parseCheckpointHeader,
  parseLeafHeader,
} from "./checkpoint-format.ts";
import { IndexLeaf } from "./index-leaf.ts";
import { NeedleIndex, type NeedleIndexOptions } from "./needle-index.ts";

/** What a checkpoint is held against. */
export interface CheckpointSubject {
  readonly disk: Disk;
  readonly hashes: Checksums;
  readonly indexFile: DiskFile;
  readonly dataFile: DiskFile;
  readonly dataBytes: number;
  /** First 8 bytes of the volume file. */
  readonly superblock: Uint8Array;
  readonly indexOptions: NeedleIndexOptions;
}

export type LoadedCheckpoint =
  | { readonly kind: "absent" }
  | { readonly kind: "distrusted"; readonly reason: string }
  | { readonly kind: "loaded"; readonly index: NeedleIndex; readonly header: CheckpointHeader };

/** Reads a checkpoint whole. It is believed only when all of it is whole and fits the volume's two files. */
export async function loadCheckpoint(
  path: string,
  subject: CheckpointSubject,
): Promise<LoadedCheckpoint> {
  if (!(await subject.disk.exists(path))) return { kind: "absent" };
  await using file = await subject.disk.open(path, { access: "read" });
  const head = Buffer.alloc(CHECKPOINT_HEADER_BYTES);
  const count = await file.readAt(head, 0);
  const header = parseCheckpointHeader(head.subarray(0, count), subject.hashes);
  if (header === undefined) return distrusted("its header is damaged");
  const misfit = await findMisfit(header, subject);
  if (misfit !== undefined) return distrusted(misfit);
  const index = new NeedleIndex(subject.indexOptions);
  const isWhole = await readLeaves(file, header, { index, hashes: subject.hashes });
  if (!isWhole) return distrusted("its content is damaged");
  return { kind: "loaded", index, header };
}

function distrusted(reason: string): LoadedCheckpoint {
  return { kind: "distrusted", reason };
}

/** Why the checkpoint is not one of these two files, if it is not. */
async function findMisfit(
  header: CheckpointHeader,
  subject: CheckpointSubject,
): Promise<string | undefined> {
  const { indexFile, indexOptions, superblock, dataBytes } = subject;
  if (header.offsetWidth !== (indexOptions.offsetWidth ?? header.offsetWidth)) {
    return "offsets of the index file have another width";
  }
  if (Buffer.compare(header.superblock, superblock) !== 0) {
    return "the volume file has another superblock";
  }
  if ((await indexFile.sizeBytes()) < header.indexFileBytes) return "the index file is shorter";
  if (dataBytes < header.lastRecord.endBytes) return "the volume file is shorter";
  if (
    (await fingerprintOf(indexFile, header.indexFileBytes, subject.hashes)) !== header.fingerprint
  ) {
    return "the index file has other entries";
  }
  return (await lastRecordIsThere(header, subject))
    ? undefined
    : "the last record it names is not in the volume file";
}

/** CRC-32C of the last `FINGERPRINT_BYTES` (or fewer) before `endBytes`. */
export async function fingerprintOf(
  indexFile: DiskFile,
  endBytes: number,
  hashes: Checksums,
): Promise<number> {
  const bytes = Buffer.alloc(Math.min(FINGERPRINT_BYTES, endBytes));
  const count = await indexFile.readAt(bytes, endBytes - bytes.length);
  return hashes.crc32c(bytes.subarray(0, count));
}

async function lastRecordIsThere(
  header: CheckpointHeader,
  { dataFile, indexOptions, hashes }: CheckpointSubject,
): Promise<boolean> {
  const { endBytes } = header.lastRecord;
  const bodyBytes = Math.max(0, header.lastRecord.bodyBytes);
  const offsetBytes = endBytes - (indexOptions.recordBytes ?? recordBytesOf)(bodyBytes);
  if (offsetBytes < 0) return false;
  const sum = await lastRecordSum(dataFile, { offsetBytes, bodyBytes }, hashes);
  return sum === header.lastRecordSum;
}

async function readLeaves(
  file: DiskFile,
  header: CheckpointHeader,
  target: { readonly index: NeedleIndex; readonly hashes: Checksums },
): Promise<boolean> {
  const { index, hashes } = target;
  const window = new ReadWindow(file, WALK_BUFFER_BYTES);
  const check = new LeafCheck(index.recordBytes, header.lastRecord.endBytes);
  let at = CHECKPOINT_HEADER_BYTES;
  for (let count = 0; count < header.leafCount; count++) {
    const head = parseLeafHeader(await window.borrow(at, LEAF_HEADER_BYTES), LEAF_ENTRIES_MAX);
    if (head === undefined) return false;
    const leafBytes = LEAF_HEADER_BYTES + head.rowBytes;
    const bytes = await window.borrow(at, leafBytes);
    if (bytes.length < leafBytes || !leafFits(bytes, hashes)) return false;
    const rows = new Uint8Array(head.rowBytes);
    rows.set(bytes.subarray(LEAF_HEADER_BYTES));
    const leaf = IndexLeaf.fromRows(head.shape, head.count, rows);
    if (!check.passes(leaf)) return false;
    index.adoptLeaf(leaf);
    at += leafBytes;
  }
  index.adoptCounters(header.counters);
  const { liveCount, liveBytes, needleIdMax } = header.counters;
  return (
    at === (await file.sizeBytes()) &&
    check.liveCount === liveCount &&
    check.liveBytes === liveBytes &&
    check.needleIdMax === needleIdMax
  );
}

/** Sees that ids rise through all leaves, and counts again what the header says. */
class LeafCheck {
  readonly #recordBytes: (bodyBytes: number) => number;
  readonly #coveredBytes: number;
  #high = 0;
  #low = 0;
  liveCount = 0;
  liveBytes = 0;

  constructor(recordBytes: (bodyBytes: number) => number, coveredBytes: number) {
    this.#recordBytes = recordBytes;
    this.#coveredBytes = coveredBytes;
  }

  get needleIdMax(): bigint {
    return joinIdHalves(this.#high, this.#low);
  }

  passes(leaf: IndexLeaf): boolean {
    const { isRising, liveCount, liveBytes } = leaf.survey(this.#recordBytes);
    this.liveCount += liveCount;
    this.liveBytes += liveBytes;
    const isBehind = leaf.lowerBound(this.#high, this.#low) === 0;
    const isOther = leaf.high(0) !== this.#high || leaf.low(0) !== this.#low;
    this.#high = leaf.high(leaf.count - 1);
    this.#low = leaf.low(leaf.count - 1);
    return isRising && isBehind && isOther && leaf.unitsMax * ALIGNMENT_BYTES < this.#coveredBytes;
  }
}
