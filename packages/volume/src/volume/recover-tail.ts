import type { DiskFile, Hashes, Log } from "@kelp/base";
import {
  type IndexEntry,
  type OffsetWidth,
  REMOVED_SIZE,
  indexEntryBytes,
  writeIndexEntry,
} from "../index/index-entry.ts";
import type { IndexFile } from "../index/index-file.ts";
import type { NeedleIndex } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { type NeedleHeader, readHeader } from "../needle/decode.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { ALIGNMENT_BYTES, HEADER_BYTES } from "../needle/layout.ts";
import { Pace, type PaceDeps } from "../pace/pace.ts";
import { type DataRegion, type LoadedIndex, startOf } from "./load-index.ts";
import { ReadWindow } from "./read-window.ts";
import { walkRecords } from "./walk.ts";

export interface RecordPlace {
  readonly offsetBytes: number;
  readonly bodyBytes: number;
}

export interface RecoveredTail {
  readonly endBytes: number;
  readonly damagedCount: number;
  /** The record that ends at `endBytes`. */
  readonly lastRecord: RecordPlace | undefined;
  /** Needles known from `earlier` alone. */
  readonly recalledCount: number;
}

/**
 * Adds to the index (and its file) the records behind those that it covers, and cuts off an append that never finished.
 *
 * What stands behind a gap was found by search, and a user's data can imitate a record; the header of a damaged
 * record may be damaged, too. Such a record only replaces or removes a known needle when it has its cookie,
 * which an outsider cannot guess, and only adds one whose id is not far above all others.
 */
export async function recoverTail(
  deps: PaceDeps & { readonly hashes: Pick<Hashes, "crc32c" | "xxh3">; readonly log: Log },
  opened: {
    readonly region: DataRegion;
    readonly loaded: LoadedIndex;
    readonly indexFile: IndexFile;
    /** An index of before. It is believed about parts of the file in which no record is found, or one under an unknown name. */
    readonly earlier?: NeedleIndex | undefined;
  },
): Promise<RecoveredTail> {
  const { region, loaded, indexFile } = opened;
  const { index } = loaded;
  let lastRecord = placeOfLast(loaded);
  if (loaded.coveredBytes === region.endBytes) {
    return { endBytes: region.endBytes, damagedCount: 0, lastRecord, recalledCount: 0 };
  }
  const source = {
    window: new ReadWindow(region.file, WALK_BUFFER_BYTES),
    endBytes: region.endBytes,
    hashes: deps.hashes,
  };
  const entries = new EntryWriter(indexFile, index.offsetWidth);
  /** Needles of a part that cannot be read stay known, so that reading them says "corrupt" and not "not found". */
  const recall = async (offsetBytes: number, partEnd: number): Promise<number | undefined> => {
    let recalledEnd: number | undefined;
    for (const entry of liveWithin(opened.earlier, offsetBytes, partEnd)) {
      index.put(entry.idHigh, entry.idLow, entry.offsetBytes, entry.bodyBytes);
      await entries.add(entry);
      recalledCount++;
      recalledEnd = entry.offsetBytes + index.recordBytes(entry.bodyBytes);
    }
    return recalledEnd;
  };
  // At the start nobody is served yet; a volume that a disk brings back, or a job puts together, is opened beside requests.
  const pace = new Pace(deps, { bytesPerSec: Number.POSITIVE_INFINITY, rests: "if-busy" });
  let damagedCount = 0;
  let recalledCount = 0;
  let endBytes = region.endBytes;
  for await (const step of walkRecords(source, loaded.coveredBytes)) {
    await pace.spend(0);
    const where = { path: region.file.path, offset_bytes: step.offsetBytes };
    switch (step.kind) {
      case "record":
        lastRecord = { offsetBytes: step.offsetBytes, bodyBytes: step.header.bodyBytes };
        if (step.isFoundBySearch && !(await isBelievable(region.file, index, step.header))) {
          await recall(step.offsetBytes, endOf(step, index));
          break;
        }
        await entries.add(takeRecord(index, step.offsetBytes, step.header));
        for (const entry of otherNames(opened.earlier, step, index)) {
          damagedCount++;
          deps.log.error("a record of a volume has another id than its index says", where);
          index.put(entry.idHigh, entry.idLow, entry.offsetBytes, entry.bodyBytes);
          await entries.add(entry);
          recalledCount++;
        }
        break;
      case "damaged":
        damagedCount++;
        deps.log.error("a record of a volume is damaged", { ...where, reason: step.reason });
        if (!(await isBelievable(region.file, index, step.header))) {
          await recall(step.offsetBytes, endOf(step, index));
          break;
        }
        // It stays known, so that reading it says "corrupt" and not "not found".
        await entries.add(takeRecord(index, step.offsetBytes, step.header));
        break;
      case "gap":
        damagedCount++;
        await recall(step.offsetBytes, step.endBytes);
        deps.log.error("a part of a volume is unreadable", { ...where, end_bytes: step.endBytes });
        break;
      case "torn":
        // What was once in an index was acknowledged, whatever became of it.
        endBytes = (await recall(step.offsetBytes, region.endBytes)) ?? step.offsetBytes;
        if (endBytes > step.offsetBytes) damagedCount++;
        if (endBytes === region.endBytes) break;
        deps.log.warn("an unfinished append at the end of a volume is cut off", {
          ...where,
          cut_bytes: region.endBytes - endBytes,
        });
        await region.file.truncate(endBytes);
        break;
    }
  }
  await entries.flush();
  return { endBytes, damagedCount, lastRecord, recalledCount };
}

/** Live needles of the index whose records begin in a part of the volume file, in file order. */
function liveWithin(
  index: NeedleIndex | undefined,
  fromBytes: number,
  endBytes: number,
): IndexEntry[] {
  const found: IndexEntry[] = [];
  index?.forEachLive(
    (idHigh, idLow, offsetBytes, bodyBytes) => {
      found.push({ idHigh, idLow, offsetBytes, bodyBytes });
    },
    { fromBytes, endBytes },
  );
  return found.sort((left, right) => left.offsetBytes - right.offsetBytes);
}

/**
 * The needle that an earlier index names at the place of a whole record with an id that it never heard of: the id in the record may
 * be damaged, which no checksum of the format tells, or the entry. Both stay known, so that neither is "not found".
 */
function otherNames(
  earlier: NeedleIndex | undefined,
  step: { readonly offsetBytes: number; readonly header: NeedleHeader },
  index: NeedleIndex,
): readonly IndexEntry[] {
  const { idHigh, idLow, bodyBytes } = step.header;
  if (earlier === undefined || earlier.knows(idHigh, idLow) !== "unknown") return [];
  return liveWithin(earlier, step.offsetBytes, step.offsetBytes + ALIGNMENT_BYTES).filter(
    (entry) =>
      entry.bodyBytes === bodyBytes &&
      index.find(entry.idHigh, entry.idLow) === undefined &&
      joinIdHalves(entry.idHigh, entry.idLow) <= index.needleIdMax + ID_STEP_MAX,
  );
}

function placeOfLast({ lastRecord, index }: LoadedIndex): RecordPlace | undefined {
  if (lastRecord === undefined) return undefined;
  const bodyBytes = Math.max(0, lastRecord.bodyBytes);
  return { offsetBytes: startOf(lastRecord, index), bodyBytes };
}

function endOf(
  step: { readonly offsetBytes: number; readonly header: NeedleHeader },
  index: NeedleIndex,
): number {
  return step.offsetBytes + index.recordBytes(step.header.bodyBytes);
}

/** A record without a body removes a needle that is known, and is an empty needle when it is new. */
export function takeRecord(
  index: NeedleIndex,
  offsetBytes: number,
  header: NeedleHeader,
): IndexEntry {
  const { idHigh, idLow, bodyBytes } = header;
  const isRemoval = bodyBytes === 0 && index.knows(idHigh, idLow) !== "unknown";
  if (isRemoval) index.remove(idHigh, idLow, { hasTombstone: true });
  else index.put(idHigh, idLow, offsetBytes, bodyBytes);
  return { idHigh, idLow, offsetBytes, bodyBytes: isRemoval ? REMOVED_SIZE : bodyBytes };
}

/** How far above all others an id may be that was found by search: no forgery shall use up the ids. */
const ID_STEP_MAX = 1n << 40n;

/** Whether a record that was found by search, or is damaged, may change the index. `file` holds the records. */
export async function isBelievable(
  file: Pick<DiskFile, "readAt">,
  index: NeedleIndex,
  header: NeedleHeader,
): Promise<boolean> {
  const known = index.find(header.idHigh, header.idLow);
  if (known === undefined) {
    return joinIdHalves(header.idHigh, header.idLow) <= index.needleIdMax + ID_STEP_MAX;
  }
  const bytes = Buffer.alloc(HEADER_BYTES);
  await file.readAt(bytes, known.offsetBytes);
  return readHeader(bytes, 0).cookie === header.cookie;
}

/** Hands entries to the index file in blocks, never faster than it writes them. */
class EntryWriter {
  static readonly BLOCK_ENTRIES = 4096;
  readonly #file: IndexFile;
  readonly #width: OffsetWidth;
  readonly #entryBytes: number;
  #block: Buffer;
  #length = 0;

  constructor(file: IndexFile, width: OffsetWidth) {
    this.#file = file;
    this.#width = width;
    this.#entryBytes = indexEntryBytes(width);
    this.#block = this.#newBlock();
  }

  /** The index must hold the entry already, and no later one. */
  async add(entry: IndexEntry): Promise<void> {
    writeIndexEntry(this.#block, this.#length, entry, this.#width);
    this.#length += this.#entryBytes;
    if (this.#length === this.#block.length) await this.flush();
  }

  async flush(): Promise<void> {
    this.#file.append(this.#block.subarray(0, this.#length));
    await this.#file.settle();
    this.#block = this.#newBlock();
    this.#length = 0;
  }

  #newBlock(): Buffer {
    return Buffer.allocUnsafeSlow(EntryWriter.BLOCK_ENTRIES * this.#entryBytes);
  }
}
