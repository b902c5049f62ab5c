import { type DiskFile, assert } from "@kelp/base";

/** A sliding view of a file, for reading forwards with one bounded buffer. */
export class ReadWindow {
  readonly #file: Pick<DiskFile, "readAt">;
  readonly #buffer: Buffer;
  #start = 0;
  #length = 0;

  constructor(file: Pick<DiskFile, "readAt">, bufferBytes: number) {
    this.#file = file;
    this.#buffer = Buffer.allocUnsafeSlow(bufferBytes);
  }

  get capacity(): number {
    return this.#buffer.length;
  }

  /**
   * `length` bytes of the file from `offset`, fewer only at its end; `length` is at most `capacity`.
   * The memory is borrowed: the next call overwrites it.
   */
  async borrow(offset: number, length: number): Promise<Buffer> {
    assert(length <= this.#buffer.length, "a window shows no more than it holds");
    if (offset < this.#start || offset + length > this.#start + this.#length) {
      this.#length = await this.#file.readAt(this.#buffer, offset);
      this.#start = offset;
    }
    const at = offset - this.#start;
    return this.#buffer.subarray(at, Math.min(at + length, this.#length));
  }
}
