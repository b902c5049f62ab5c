import type { DiskFile } from "@kelp/base";
import {
  type IndexEntry,
  indexEntryBytes,
  isRemoval,
  readIndexEntry,
} from "../index/index-entry.ts";
import { NeedleIndex } from "../index/needle-index.ts";
import { ENTRIES_PAUSE_COUNT, HEADER_WALK_BUFFER_BYTES, WALK_BUFFER_BYTES } from "../limits.ts";
import { readHeader } from "../needle/decode.ts";
import { ALIGNMENT_BYTES, HEADER_BYTES } from "../needle/layout.ts";
import { SUPERBLOCK_BYTES } from "../superblock/superblock.ts";
import { isPossible } from "../volume/examine.ts";
import { ReadWindow } from "../volume/read-window.ts";
import type { VolumeContent } from "../volume/volume-content.ts";

export interface IndexCheckSource {
  /** As it is at the moment of asking. */
  readonly content: VolumeContent;
  readonly indexFile: DiskFile;
  /** So many bytes were read. May wait, or throw to end the check. */
  spend(bytes: number): Promise<void>;
}

/**
 * Makes the index anew from the headers of all records and compares: with the index in memory by its count (that each
 * live needle is where it says, the check of the needles has seen), and with the entries of the index file one by one. Returns
 * what differs; `undefined` when nothing does, or when damage hides some records, which is found otherwise.
 * Costs as much memory as the index itself while it runs.
 */
export async function checkIndex(source: IndexCheckSource): Promise<string | undefined> {
  const walk = new HeaderWalk(source);
  for (;;) {
    await walk.runTo(source.content.endBytes);
    if (walk.isBroken) return undefined;
    const before = await differenceOfFile(source, walk.index, walk.endBytes);
    if (before !== undefined) return before;
    // Changes came meanwhile: the two are only to be compared as of one moment.
    if (walk.endBytes === source.content.endBytes) {
      return differenceInMemory(source.content.index, walk.index);
    }
  }
}

/** Follows the records by their headers alone. */
class HeaderWalk {
  readonly index: NeedleIndex;
  readonly #source: IndexCheckSource;
  #at: number;
  isBroken = false;

  constructor(source: IndexCheckSource) {
    this.#source = source;
    this.index = new NeedleIndex(source.content.index);
    this.#at = SUPERBLOCK_BYTES + source.content.superblock.extraBytes;
  }

  get endBytes(): number {
    return this.#at;
  }

  async runTo(endBytes: number): Promise<void> {
    const { content } = this.#source;
    const window = new ReadWindow(content.data, HEADER_WALK_BUFFER_BYTES);
    while (this.#at < endBytes) {
      const header = readHeader(await window.borrow(this.#at, HEADER_BYTES), 0);
      const next = this.#at + this.index.recordBytes(header.bodyBytes);
      if (!isPossible(header) || next > endBytes) {
        this.isBroken = true;
        return;
      }
      const { idHigh, idLow, bodyBytes } = header;
      // As when an index is rebuilt: a record without a body removes what is known.
      if (bodyBytes === 0 && this.index.knows(idHigh, idLow) !== "unknown") {
        this.index.remove(idHigh, idLow, { hasTombstone: true });
      } else {
        this.index.put(idHigh, idLow, this.#at, bodyBytes);
      }
      await this.#source.spend(Math.min(next - this.#at, HEADER_WALK_BUFFER_BYTES));
      this.#at = next;
    }
  }
}

function differenceInMemory(known: NeedleIndex, rebuilt: NeedleIndex): string | undefined {
  if (known.liveCount === rebuilt.liveCount && known.liveBytes === rebuilt.liveBytes) {
    return undefined;
  }
  return (
    `it knows ${known.liveCount} needles of ${known.liveBytes} bytes, ` +
    `the records give ${rebuilt.liveCount} of ${rebuilt.liveBytes}`
  );
}

/** The file may be behind, but what it says must be true, and up to where it reaches no live needle may lack an entry. */
async function differenceOfFile(
  source: IndexCheckSource,
  rebuilt: NeedleIndex,
  endBytes: number,
): Promise<string | undefined> {
  const { offsetWidth } = rebuilt;
  const entryBytes = indexEntryBytes(offsetWidth);
  const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  let matchCount = 0;
  let coveredBytes = 0;
  for (let at = 0; ;) {
    const count = await source.indexFile.readAt(buffer, at);
    const whole = count - (count % entryBytes);
    if (whole === 0) break;
    for (let place = 0; place < whole; place += entryBytes) {
      const entry = readIndexEntry(buffer, place, offsetWidth);
      if (entry.offsetBytes >= endBytes) continue;
      const verdict = judge(entry, rebuilt);
      if (verdict === "false") return `entry ${(at + place) / entryBytes} is not true`;
      if (verdict === "match") matchCount++;
      coveredBytes = Math.max(coveredBytes, entry.offsetBytes + 1);
      if ((place / entryBytes) % ENTRIES_PAUSE_COUNT === 0) await source.spend(0);
    }
    at += whole;
    await source.spend(whole);
  }
  if (matchCount >= rebuilt.liveCount) return undefined;
  let dueCount = 0;
  for (const { leaf, first } of rebuilt.leavesById()) {
    for (let place = first; place < leaf.count; place++) {
      const isDue = leaf.size(place) >= 0 && leaf.units(place) * ALIGNMENT_BYTES < coveredBytes;
      if (isDue) dueCount++;
    }
    await source.spend(0);
  }
  return matchCount >= dueCount
    ? undefined
    : `${dueCount - matchCount} live needles have no entry in the file`;
}

/** `match`: of a live needle, where it is. `earlier`: it was true once. */
function judge(entry: IndexEntry, rebuilt: NeedleIndex): "match" | "earlier" | "false" {
  const { idHigh, idLow, offsetBytes, bodyBytes } = entry;
  const found = rebuilt.find(idHigh, idLow);
  if (isRemoval(entry)) {
    // Without a record: of an id from before a vacuum, or of a needle whose file was elsewhere when it was removed.
    if (offsetBytes === 0) rebuilt.remove(idHigh, idLow, { hasTombstone: false });
    // A later record may have brought it back.
    else if (found !== undefined && found.offsetBytes <= offsetBytes) return "false";
    return "earlier";
  }
  if (found === undefined) {
    return rebuilt.knows(idHigh, idLow) === "unknown" ? "false" : "earlier";
  }
  if (found.offsetBytes === offsetBytes) return found.bodyBytes === bodyBytes ? "match" : "false";
  return offsetBytes < found.offsetBytes ? "earlier" : "false";
}
