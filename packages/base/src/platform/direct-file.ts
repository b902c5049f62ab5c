import { constants } from "node:fs";
import * as fs from "node:fs";
import { PAGE_BYTES, PageMemory } from "./page-memory.ts";
import type { UnwrittenParts } from "./unwritten-parts.ts";

/**
 * A file opened a second time, for writes that go past the page cache: the disk fetches whole pages from memory of this process, so
 * the kernel neither copies them nor looks for room. Not every file system can; what it refuses once is not asked again.
 */
export class DirectFile {
  /** The file itself, whatever its name is by now. */
  readonly #path: string;
  #handle: Promise<fs.promises.FileHandle | undefined> | undefined;
  #isRefused = false;

  constructor(fd: number) {
    this.#path = `/proc/self/fd/${fd}`;
  }

  /**
   * Writes whole pages of `parts`, of which there is at least one, from `offset` on, where one begins. Returns how many bytes; `undefined`
   * where the file system cannot. Rejects with what the system call failed of.
   */
  async write(parts: UnwrittenParts, offset: number): Promise<number | undefined> {
    if (this.#isRefused) return undefined;
    const handle = await (this.#handle ??= this.#open());
    if (handle === undefined) return undefined;
    using memory = await PageMemory.take();
    const copied = parts.copyTo(memory.bytes);
    const whole = copied - (copied % PAGE_BYTES);
    try {
      const { bytesWritten } = await handle.write(memory.bytes, 0, whole, offset);
      return bytesWritten;
    } catch (error) {
      // Larger pages than are known here, or none of this at all.
      if (!(error instanceof Error && "code" in error && error.code === "EINVAL")) throw error;
      // It stays open until the file is closed: other writes may be on their way.
      this.#isRefused = true;
      return undefined;
    }
  }

  async #open(): Promise<fs.promises.FileHandle | undefined> {
    // Known to the kernels of some systems only.
    const direct: number | undefined = constants.O_DIRECT;
    if (direct === undefined) return undefined;
    try {
      return await fs.promises.open(this.#path, constants.O_WRONLY | direct);
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    const handle = await this.#handle;
    await handle?.close();
  }
}
