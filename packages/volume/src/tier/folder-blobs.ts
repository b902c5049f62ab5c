import { type Disk, assert, makeDurableFolder } from "@kelp/base";
import type { BlobContent, RemoteBlobs } from "@kelp/wire";
import { WALK_BUFFER_BYTES } from "../limits.ts";

/** A folder as a remote store: another disk, or what is mounted there. Made when absent. */
export class FolderBlobs implements RemoteBlobs {
  readonly kind = "folder";
  readonly #disk: Disk;
  readonly #folder: string;

  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  async put(key: string, content: BlobContent, signal?: AbortSignal): Promise<void> {
    await makeDurableFolder(this.#disk, this.#folder);
    const path = this.#pathOf(key);
    const unfinished = `${path}.tmp`;
    {
      await using file = await this.#disk.open(unfinished, { access: "read-write", create: true });
      await file.truncate(0);
      const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
      for (let at = 0; at < content.sizeBytes;) {
        signal?.throwIfAborted();
        const wanted = buffer.subarray(0, Math.min(buffer.length, content.sizeBytes - at));
        const count = await content.readAt(wanted, at);
        assert(count === wanted.length, "content has the size that it says");
        await file.writeAt([wanted], at);
        at += count;
      }
      await file.sync();
    }
    await this.#disk.rename(unfinished, path);
    await this.#disk.syncFolder(this.#folder);
  }

  async read(key: string, target: Uint8Array, offset: number): Promise<number> {
    await using file = await this.#disk.open(this.#pathOf(key), { access: "read" });
    return await file.readAt(target, offset);
  }

  async head(key: string): Promise<{ readonly sizeBytes: number } | undefined> {
    const path = this.#pathOf(key);
    if (!(await this.#disk.exists(path))) return undefined;
    await using file = await this.#disk.open(path, { access: "read" });
    return { sizeBytes: await file.sizeBytes() };
  }

  async remove(key: string): Promise<void> {
    const path = this.#pathOf(key);
    if (!(await this.#disk.exists(path))) return;
    await this.#disk.remove(path);
    await this.#disk.syncFolder(this.#folder);
  }

  /** A key comes from an information file, which anybody may have written: it shall not lead out of the folder. */
  #pathOf(key: string): string {
    if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/.test(key)) {
      throw new Error(
        `Cannot use the key ${JSON.stringify(key)} in a folder: it is no plain file name`,
      );
    }
    return `${this.#folder}/${key}`;
  }
}
