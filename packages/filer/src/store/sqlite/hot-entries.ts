import type { Entry, EntryHead, EntryPath } from "@kelp/wire";
import { must } from "@kelp/base";
import type { EntryRow } from "./entry-rows.ts";

/** An entry that was read or written lately, as its row stands in the last committed state. */
export interface HotEntry {
  readonly treeId: number;
  readonly row: EntryRow;
  /** Made of the row when it is first asked for. */
  head: EntryHead | undefined;
  whole: Entry | undefined;
}

/** What JavaScript keeps for an entry besides the characters of its texts and the bytes of its content: about so much. */
const ENTRY_OVERHEAD_BYTES = 400;
/** The same for each chunk of its list. */
const CHUNK_OVERHEAD_BYTES = 250;
/** Where the memory is full, one in so many of what is read is taken in: whoever reads more than fits does not wash it out. */
const TAKEN_IN_ONE_OF = 8;

/**
 * Entries in memory, by tree and path, bounded by the bytes that they take.
 *
 * Invariants:
 * - what is found is the newest committed row. Each write of a row, by whatever operation, forgets it at once, inside the
 *   transaction; what stood in the transaction is taken in when that is committed, and only then;
 * - nothing is taken in while a transaction runs but by that way: a reader inside one would take in what may never be;
 * - heads and contents have bounds of their own, and what came first makes room first.
 *
 * A process that only reads clears it whenever another committed.
 */
export class HotEntries {
  #trees = new Map<number, Map<EntryPath, HotEntry>>();
  readonly #heads: Queue;
  readonly #contents: Queue;
  /** What the running transaction wrote, in order; without a row where it removed one. */
  #written: { readonly treeId: number; readonly path: EntryPath; readonly row?: EntryRow }[] = [];
  #readCount = 0;

  /** 0 bytes of heads keep nothing at all. */
  constructor(limits: { readonly headBytesMax: number; readonly contentBytesMax: number }) {
    this.#heads = new Queue(limits.headBytesMax);
    this.#contents = new Queue(limits.contentBytesMax);
  }

  find(treeId: number, path: EntryPath): HotEntry | undefined {
    return this.#trees.get(treeId)?.get(path);
  }

  /** Offers a committed row that was just read. */
  offer(treeId: number, row: EntryRow): HotEntry {
    const hot: HotEntry = { treeId, row, head: undefined, whole: undefined };
    if (this.#takesIn(this.#heads)) this.#keep(hot);
    return hot;
  }

  /** Offers the content of what was found, or was offered. */
  offerWhole(hot: HotEntry, whole: Entry): void {
    if (!this.#takesIn(this.#contents) || !this.#heads.has(hot)) return;
    hot.whole = whole;
    const dropped = this.#contents.add(hot, contentBytes(whole));
    for (const each of dropped) each.whole = undefined;
  }

  forget(treeId: number, path: EntryPath): void {
    const hot = this.find(treeId, path);
    if (hot !== undefined) this.#drop(hot);
  }

  clear(): void {
    this.#trees = new Map();
    this.#heads.clear();
    this.#contents.clear();
  }

  /** The running transaction put `row`, or removed what stood at `path`. */
  wrote(treeId: number, path: EntryPath, row?: EntryRow): void {
    this.forget(treeId, path);
    // What the transaction removed matters only to what it put before.
    if (row !== undefined || this.#written.length > 0) {
      this.#written.push(row === undefined ? { treeId, path } : { treeId, path, row });
    }
  }

  committed(): void {
    for (const { treeId, path, row } of this.#written) {
      this.forget(treeId, path);
      if (row !== undefined) this.#keep({ treeId, row, head: undefined, whole: undefined });
    }
    this.#written = [];
  }

  rolledBack(): void {
    this.#written = [];
  }

  #takesIn(queue: Queue): boolean {
    if (!queue.isFull) return true;
    this.#readCount += 1;
    return this.#readCount % TAKEN_IN_ONE_OF === 0;
  }

  #keep(hot: HotEntry): void {
    let entries = this.#trees.get(hot.treeId);
    if (entries === undefined) {
      entries = new Map();
      this.#trees.set(hot.treeId, entries);
    }
    entries.set(hot.row.path, hot);
    for (const each of this.#heads.add(hot, headBytes(hot.row))) this.#drop(each);
  }

  #drop(hot: HotEntry): void {
    const entries = this.#trees.get(hot.treeId);
    entries?.delete(hot.row.path);
    if (entries?.size === 0) this.#trees.delete(hot.treeId);
    this.#heads.delete(hot);
    this.#contents.delete(hot);
    hot.whole = undefined;
  }
}

const NOTHING: readonly HotEntry[] = [];

/** Entries in the order in which they came, and the bytes that they take. */
class Queue {
  readonly #sizes = new Map<HotEntry, number>();
  readonly #bytesMax: number;
  #bytes = 0;
  /** Whether something had to make room already. */
  isFull = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  has(hot: HotEntry): boolean {
    return this.#sizes.has(hot);
  }

  /** Returns what has to make room, in the end the entry itself: it is out of here already. */
  add(hot: HotEntry, sizeBytes: number): readonly HotEntry[] {
    this.delete(hot);
    this.#sizes.set(hot, sizeBytes);
    this.#bytes += sizeBytes;
    if (this.#bytes <= this.#bytesMax) return NOTHING;
    this.isFull = true;
    const dropped: HotEntry[] = [];
    while (this.#bytes > this.#bytesMax) {
      const oldest = must(this.#sizes.keys().next().value, "bytes are those of entries");
      this.delete(oldest);
      dropped.push(oldest);
    }
    return dropped;
  }

  delete(hot: HotEntry): void {
    const sizeBytes = this.#sizes.get(hot);
    if (sizeBytes === undefined) return;
    this.#sizes.delete(hot);
    this.#bytes -= sizeBytes;
  }

  clear(): void {
    this.#sizes.clear();
    this.#bytes = 0;
    this.isFull = false;
  }
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
