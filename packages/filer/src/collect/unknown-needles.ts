import { assert, must } from "@kelp/base";
import { type Fid, needleId, volumeId } from "@kelp/wire";

/** A needle that a scan met and that no reference names. */
export interface UnknownNeedle {
  readonly fid: Fid;
  /** Of the whole record when it is damaged. */
  readonly sizeBytes: number;
  /** Its cookie may be what is damaged: it stands for the needle under any cookie. */
  readonly isCorrupt: boolean;
}

/** Words of a row: volume, high and low half of the needle id, cookie. */
const ROW_WORDS = 4;
const FIRST_ROWS = 1024;
const GONE = 1;
const CORRUPT = 2;

/**
 * A bounded number of needles that are struck off one by one as something turns out to know them. Typed arrays: 33 bytes for each of
 * the largest number it ever held, rounded up to a power of two.
 */
export class UnknownNeedles {
  readonly #rowsMax: number;
  #rows = new Uint32Array(FIRST_ROWS * ROW_WORDS);
  #sizes = new Float64Array(FIRST_ROWS);
  #flags = new Uint8Array(FIRST_ROWS);
  /** Open addressing, by volume and needle: the number of a row from 1 on; 0 is a free slot. */
  #slots = new Uint32Array(2 * FIRST_ROWS);
  #count = 0;

  constructor(rowsMax: number) {
    assert(rowsMax > 0, "there is room for one");
    this.#rowsMax = rowsMax;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#count === this.#rowsMax;
  }

  add({ fid, sizeBytes, isCorrupt }: UnknownNeedle): void {
    assert(!this.isFull, "there is room");
    if (this.#count === this.#sizes.length) this.#grow();
    const row = this.#count++;
    const at = row * ROW_WORDS;
    this.#rows[at] = fid.volumeId;
    this.#rows[at + 1] = Number(fid.needleId >> 32n);
    this.#rows[at + 2] = Number(fid.needleId & 0xffff_ffffn);
    this.#rows[at + 3] = fid.cookie;
    this.#sizes[row] = sizeBytes;
    this.#flags[row] = isCorrupt ? CORRUPT : 0;
    this.#enter(row);
  }

  /** Takes out every row that this address speaks for. */
  strike(fid: Fid): void {
    const volume: number = fid.volumeId;
    const high = Number(fid.needleId >> 32n);
    const low = Number(fid.needleId & 0xffff_ffffn);
    const mask = this.#slots.length - 1;
    for (let slot = slotOf(volume, high, low) & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot] ?? 0;
      if (number === 0) return;
      const at = (number - 1) * ROW_WORDS;
      if (this.#rows[at + 2] !== low || this.#rows[at + 1] !== high) continue;
      if (this.#rows[at] !== volume) continue;
      const flags = this.#flags[number - 1] ?? 0;
      if (this.#rows[at + 3] === fid.cookie || (flags & CORRUPT) !== 0) {
        this.#flags[number - 1] = flags | GONE;
      }
    }
  }

  /** What was not struck off, in the order in which it came, and forgets all. */
  take(): UnknownNeedle[] {
    const left: UnknownNeedle[] = [];
    for (let row = 0; row < this.#count; row += 1) {
      const flags = this.#flags[row] ?? 0;
      if ((flags & GONE) !== 0) continue;
      const [volume, high, low, cookie] = this.#rows.subarray(
        row * ROW_WORDS,
        (row + 1) * ROW_WORDS,
      );
      left.push({
        fid: {
          volumeId: volumeId(must(volume)),
          needleId: needleId((BigInt(must(high)) << 32n) | BigInt(must(low))),
          cookie: must(cookie),
        },
        sizeBytes: must(this.#sizes[row]),
        isCorrupt: (flags & CORRUPT) !== 0,
      });
    }
    this.#count = 0;
    this.#slots.fill(0);
    return left;
  }

  #enter(row: number): void {
    const at = row * ROW_WORDS;
    const [volume, high, low] = [this.#rows[at], this.#rows[at + 1], this.#rows[at + 2]];
    const mask = this.#slots.length - 1;
    let slot = slotOf(must(volume), must(high), must(low)) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
  }

  #grow(): void {
    const rows = new Uint32Array(2 * this.#rows.length);
    rows.set(this.#rows);
    const sizes = new Float64Array(2 * this.#sizes.length);
    sizes.set(this.#sizes);
    const flags = new Uint8Array(2 * this.#flags.length);
    flags.set(this.#flags);
    [this.#rows, this.#sizes, this.#flags] = [rows, sizes, flags];
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let row = 0; row < this.#count; row += 1) this.#enter(row);
  }
}

/** Ids of needles follow one another, so they are mixed well. */
function slotOf(volume: number, high: number, low: number): number {
  let mixed = Math.imul(
    low ^ Math.imul(volume, 0x9e37_79b1) ^ Math.imul(high, 0x85eb_ca6b),
    0xc2b2_ae35,
  );
  mixed ^= mixed >>> 15;
  return Math.imul(mixed, 0x2c1b_3c6d) >>> 8;
}
