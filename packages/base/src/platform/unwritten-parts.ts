/** IOV_MAX of Linux: parts of one system call. */
const VECTOR_PARTS_MAX = 1024;

/** Parts that go to a file one after another. Each write may take less than it was given: what is left stands here. */
export class UnwrittenParts {
  #parts: readonly Uint8Array[];
  #leftBytes: number;

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
    this.#leftBytes = parts.reduce((sum, part) => sum + part.length, 0);
  }

  get leftBytes(): number {
    return this.#leftBytes;
  }

  /** The first parts, up to `sizeBytes` and as many as one system call takes. */
  first(sizeBytes: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let left = sizeBytes;
    for (const part of this.#parts) {
      if (left === 0 || taken.length === VECTOR_PARTS_MAX) break;
      const piece = part.length > left ? part.subarray(0, left) : part;
      taken.push(piece);
      left -= piece.length;
    }
    return taken;
  }

  /** Copies the first bytes into `target` as far as it goes; returns how many. */
  copyTo(target: Uint8Array): number {
    let filled = 0;
    for (const part of this.#parts) {
      if (filled === target.length) break;
      const piece = part.subarray(0, target.length - filled);
      target.set(piece, filled);
      filled += piece.length;
    }
    return filled;
  }

  /** The first `sizeBytes` are written. */
  skip(sizeBytes: number): void {
    this.#leftBytes -= sizeBytes;
    let skip = sizeBytes;
    let index = 0;
    for (const part of this.#parts) {
      if (skip < part.length) break;
      skip -= part.length;
      index++;
    }
    const [first, ...others] = this.#parts.slice(index);
    this.#parts = first === undefined ? [] : [first.subarray(skip), ...others];
  }
}
