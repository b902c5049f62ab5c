import type { Entry, EntryHead, EntryPath } from "@kelp/wire";
import type { EntryRow } from "./entry-row.ts";
import { type Link, SizedQueue } from "./sized-queue.ts";

/** An entry that was read lately, as its row stands in the last committed state. */
export interface HotEntry {
  readonly treeId: number;
  readonly row: EntryRow;
  /** Made of the row when it is first asked for. */
  head: EntryHead | undefined;
  whole: Entry | undefined;
  /** Whether it was taken into a full memory: what is chosen among others comes with its content. */
  isChosen: boolean;
  /** Its places in the two queues. */
  headLink: Link<HotEntry> | undefined;
  contentLink: Link<HotEntry> | undefined;
}

/** What JavaScript keeps for an entry besides the characters of its texts and the bytes of its content: about so much. */
const ENTRY_OVERHEAD_BYTES = 400;
/** The same for each chunk of its list. */
const CHUNK_OVERHEAD_BYTES = 250;
/** Where the memory is full, one in so many of what is read again is taken in: whoever reads more than fits does not wash it out. */
const TAKEN_IN_ONE_OF = 4;
/** So many of the rows read last are remembered, by numbers alone. */
const READ_PLACES = 65_536;

/**
 * Entries in memory, by tree and path, bounded by the bytes that they take.
 *
 * Invariants:
 * - what is found is the newest committed row. Each write of a row, by whatever operation, forgets it at once, inside the
 *   transaction;
 * - nothing is taken in while a transaction runs: a reader inside one would take in what may never be;
 * - heads and contents have bounds of their own, and what came first makes room first;
 * - where the memory is full, what is read once is not taken in: to make an entry of it and drop another costs more than reading it.
 *
 * What is written is not taken in before it is read: a load of writes would fill the memory with what nobody asked for, and each
 * entry would live just long enough to cost the collector most. A process that only reads clears all whenever another committed.
 */
export class HotEntries {
  #trees = new Map<number, Map<EntryPath, HotEntry>>();
  readonly #heads: SizedQueue<HotEntry>;
  readonly #contents: SizedQueue<HotEntry>;
  /** Positions of rows that were read, each in the place that its last digits say. Whoever came last has it. */
  readonly #read = new Uint32Array(READ_PLACES);
  #againCount = 0;

  /** 0 bytes of heads keep nothing at all. */
  constructor(limits: { readonly headBytesMax: number; readonly contentBytesMax: number }) {
    this.#heads = new SizedQueue(limits.headBytesMax);
    this.#contents = new SizedQueue(limits.contentBytesMax);
  }

  find(treeId: number, path: EntryPath): HotEntry | undefined {
    return this.#trees.get(treeId)?.get(path);
  }

  /** Offers a committed row that was just read. */
  offer(treeId: number, row: EntryRow): HotEntry {
    const hot = hotEntry(treeId, row);
    const { isFull } = this.#heads;
    if (!this.#takesIn(this.#heads, row)) return hot;
    hot.isChosen = isFull;
    this.#keep(hot);
    return hot;
  }

  /** Offers the content of what was found, or was offered. */
  offerWhole(hot: HotEntry, whole: Entry): void {
    if (hot.headLink === undefined) return;
    if (!hot.isChosen && !this.#takesIn(this.#contents, hot.row)) return;
    hot.isChosen = false;
    hot.whole = whole;
    hot.contentLink = this.#contents.add(hot, contentBytes(whole));
    for (let old = this.#contents.overflow(); old !== undefined; old = this.#contents.overflow()) {
      old.contentLink = undefined;
      old.whole = undefined;
    }
  }

  /** Something is written at `path`, or removed there. */
  forget(treeId: number, path: EntryPath): void {
    const hot = this.find(treeId, path);
    if (hot !== undefined) this.#drop(hot);
  }

  clear(): void {
    this.#trees = new Map();
    this.#heads.clear();
    this.#contents.clear();
  }

  #takesIn(queue: SizedQueue<HotEntry>, { position }: EntryRow): boolean {
    if (!queue.isFull) return true;
    const place = position % READ_PLACES;
    const number = position % 2 ** 32;
    if (this.#read[place] !== number) {
      this.#read[place] = number;
      return false;
    }
    this.#againCount += 1;
    return this.#againCount % TAKEN_IN_ONE_OF === 0;
  }

  /** In the place of what is kept of the same path. */
  #keep(hot: HotEntry): void {
    const { treeId, row } = hot;
    let entries = this.#trees.get(treeId);
    if (entries === undefined) {
      entries = new Map();
      this.#trees.set(treeId, entries);
    }
    const former = entries.get(row.path);
    if (former !== undefined) this.#unlink(former);
    entries.set(row.path, hot);
    hot.headLink = this.#heads.add(hot, headBytes(row));
    for (let old = this.#heads.overflow(); old !== undefined; old = this.#heads.overflow()) {
      old.headLink = undefined;
      this.#drop(old);
    }
  }

  #drop(hot: HotEntry): void {
    const entries = this.#trees.get(hot.treeId);
    entries?.delete(hot.row.path);
    if (entries?.size === 0) this.#trees.delete(hot.treeId);
    this.#unlink(hot);
  }

  #unlink(hot: HotEntry): void {
    if (hot.headLink !== undefined) this.#heads.remove(hot.headLink);
    if (hot.contentLink !== undefined) this.#contents.remove(hot.contentLink);
    hot.headLink = undefined;
    hot.contentLink = undefined;
    hot.whole = undefined;
  }
}

function hotEntry(treeId: number, row: EntryRow): HotEntry {
  return {
    treeId,
    row,
    head: undefined,
    whole: undefined,
    isChosen: false,
    headLink: undefined,
    contentLink: undefined,
  };
}

function headBytes({ path, etag, attributes }: EntryRow): number {
  return ENTRY_OVERHEAD_BYTES + path.length + etag.length + attributes.length;
}

function contentBytes({ content }: Entry): number {
  const bytes =
    content.kind === "inline"
      ? content.bytes.byteLength
      : content.chunks.length * CHUNK_OVERHEAD_BYTES;
  return ENTRY_OVERHEAD_BYTES + bytes;
}
