import type { DiskFile } from "@kelp/base";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { SteadySync } from "../pace/steady-sync.ts";

/** Writes pieces behind one another, gathered into blocks, and syncs a little at a time. One caller at a time. */
export class BlockWriter {
  readonly #file: DiskFile;
  readonly #syncing: SteadySync;
  readonly #block = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  #blockBytes = 0;
  #writtenBytes: number;

  constructor(file: DiskFile, startBytes: number) {
    this.#file = file;
    this.#syncing = new SteadySync(file);
    this.#writtenBytes = startBytes;
  }

  /** Where the next piece goes. */
  get endBytes(): number {
    return this.#writtenBytes + this.#blockBytes;
  }

  /** Copies `piece`, of any length. */
  async write(piece: Uint8Array): Promise<void> {
    for (let from = 0; from < piece.length; from += this.#block.length) {
      const part = piece.subarray(from, from + this.#block.length);
      if (this.#blockBytes + part.length > this.#block.length) await this.flush();
      this.#block.set(part, this.#blockBytes);
      this.#blockBytes += part.length;
    }
  }

  /** Afterwards the file can be read up to `endBytes`. */
  async flush(): Promise<void> {
    if (this.#blockBytes === 0) return;
    const writtenBytes = this.#blockBytes;
    await this.#file.writeAt([this.#block.subarray(0, writtenBytes)], this.#writtenBytes);
    this.#writtenBytes += writtenBytes;
    this.#blockBytes = 0;
    await this.#syncing.wrote(writtenBytes);
  }

  /** Afterwards all of it is durable. */
  async sync(): Promise<void> {
    await this.flush();
    await this.#syncing.finish();
  }
}
