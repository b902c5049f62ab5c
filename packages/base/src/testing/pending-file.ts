import type { SeededRandom } from "./seeded-random.ts";

/** A change of a file's content. `at` is its place in the log. */
export type PendingChange = { readonly at: number } & (
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly sizeBytes: number }
);

/**
 * - `nothing`    no change behind the last sync is kept, but for the length perhaps
 * - `all`        every change is kept
 * - `writes`     each change is kept or lost, whatever becomes of those before it
 * - `sectors`    each 512 bytes of each write are kept or lost
 * - `pages`      each 4096 bytes of each write are kept or lost
 * - `beginning`  changes are kept in order up to one that is torn at a sector
 */
export type ContentKeeping = "nothing" | "all" | "writes" | "sectors" | "pages" | "beginning";

const SECTOR_BYTES = 512;
const PAGE_BYTES = 4096;
/** How often what was never written is what the disk held before instead of zeros. */
const STALE_CHANCE = 0.2;

/** The content of one file: what is durable, and the changes since, in order. */
export class PendingFile {
  #durable: Uint8Array;
  #sizeBytes: number;
  #changes: PendingChange[] = [];

  constructor(durable: Uint8Array) {
    this.#durable = durable.slice();
    this.#sizeBytes = durable.length;
  }

  change(change: PendingChange): void {
    this.#changes.push(change);
  }

  /** Makes changes durable that came before the place `before` of the log. */
  sync(before: number): void {
    const covered = this.#changes.filter((change) => change.at < before);
    this.#changes = this.#changes.filter((change) => change.at >= before);
    for (const change of covered) {
      if (change.kind === "truncate") this.#resize(change.sizeBytes);
      else {
        this.#resize(Math.max(this.#sizeBytes, change.offset + change.bytes.length));
        this.#durable.set(change.bytes, change.offset);
      }
    }
  }

  /** The content after a cut, in memory of its own. */
  lose(keeping: ContentKeeping, random: SeededRandom): Uint8Array {
    const draft = new Draft(this.#durable.subarray(0, this.#sizeBytes));
    const lastKept = keeping === "beginning" ? random.below(this.#changes.length + 1) : 0;
    for (const [index, change] of this.#changes.entries()) {
      const isKept =
        keeping === "beginning"
          ? index < lastKept
          : keeping === "all" || (keeping !== "nothing" && random.chance(0.5));
      const isTorn =
        change.kind === "write" &&
        (keeping === "sectors" ||
          keeping === "pages" ||
          (keeping === "beginning" && index === lastKept));
      draft.note(change);
      if (isTorn) {
        const unit = keeping === "pages" ? PAGE_BYTES : SECTOR_BYTES;
        draft.writeTorn(change, unit, keeping === "beginning" ? "in-order" : "any-order", random);
      } else if (isKept) draft.apply(change);
    }
    return draft.finish(keeping, random);
  }

  #resize(sizeBytes: number): void {
    if (sizeBytes > this.#durable.length) {
      const grown = new Uint8Array(Math.max(sizeBytes, this.#durable.length * 2));
      grown.set(this.#durable.subarray(0, this.#sizeBytes));
      this.#durable = grown;
    } else if (sizeBytes < this.#sizeBytes) this.#durable.fill(0, sizeBytes, this.#sizeBytes);
    this.#sizeBytes = sizeBytes;
  }
}

/** Content being put together. Length and content are lost independently: either may be ahead of the other. */
class Draft {
  readonly #durableBytes: number;
  #content: Buffer;
  /** Bytes that are known to be there; behind it is what the disk held before. */
  #keptEnd: number;
  /** Length with every change made. */
  #fullBytes: number;

  constructor(durable: Uint8Array) {
    this.#durableBytes = durable.length;
    this.#content = Buffer.from(durable);
    this.#keptEnd = durable.length;
    this.#fullBytes = durable.length;
  }

  note(change: PendingChange): void {
    this.#fullBytes =
      change.kind === "truncate"
        ? change.sizeBytes
        : Math.max(this.#fullBytes, change.offset + change.bytes.length);
  }

  apply(change: PendingChange): void {
    if (change.kind === "truncate") {
      this.#grow(change.sizeBytes);
      this.#content.fill(0, change.sizeBytes);
      this.#keptEnd = change.sizeBytes;
    } else this.#write(change.bytes, change.offset);
  }

  /** Units are those of the file, not of the write: a disk tears where its own sectors begin. */
  writeTorn(
    change: Extract<PendingChange, { kind: "write" }>,
    unitBytes: number,
    order: "in-order" | "any-order",
    random: SeededRandom,
  ): void {
    const { offset, bytes } = change;
    let at = 0;
    while (at < bytes.length) {
      const unitEnd = (Math.floor((offset + at) / unitBytes) + 1) * unitBytes - offset;
      const piece = bytes.subarray(at, Math.min(unitEnd, bytes.length));
      if (random.chance(0.5)) this.#write(piece, offset + at);
      else if (order === "in-order") return;
      at += piece.length;
    }
  }

  finish(keeping: ContentKeeping, random: SeededRandom): Uint8Array {
    let sizeBytes = this.#keptEnd;
    if (keeping === "all") sizeBytes = this.#fullBytes;
    else if (random.chance(0.3)) sizeBytes = Math.max(sizeBytes, this.#fullBytes);
    else if (random.chance(0.2)) sizeBytes = Math.min(sizeBytes, this.#durableBytes);
    this.#grow(sizeBytes);
    if (sizeBytes > this.#keptEnd && random.chance(STALE_CHANCE)) {
      this.#content.set(random.bytes(sizeBytes - this.#keptEnd), this.#keptEnd);
    }
    return this.#content.subarray(0, sizeBytes);
  }

  #write(bytes: Uint8Array, offset: number): void {
    this.#grow(offset + bytes.length);
    this.#content.set(bytes, offset);
    this.#keptEnd = Math.max(this.#keptEnd, offset + bytes.length);
  }

  #grow(sizeBytes: number): void {
    if (sizeBytes <= this.#content.length) return;
    const grown = Buffer.alloc(sizeBytes);
    grown.set(this.#content);
    this.#content = grown;
  }
}
