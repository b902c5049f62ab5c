import { type Disk, DiskError, makeDurableFolder } from "@kelp/base";
import { BackupError } from "../errors.ts";
import type { BackupTarget, PieceRange } from "./backup-target.ts";

const TEMPORARY_END = ".tmp";
const NEW_FILE = { access: "read-write", create: true, exclusive: true } as const;

/**
 * A target that is a folder. A piece is written under another name, synced, renamed, and its folder synced. The folder is
 * made when absent, for its owner alone. Names that begin with a dot are not pieces: whoever works there keeps things under them.
 */
export class FolderTarget implements BackupTarget {
  readonly #disk: Disk;
  readonly #folder: string;

  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  list(prefix: string): Promise<string[]> {
    return this.#attempt("list", async () => {
      const folder = this.#path(prefix).replace(/\/$/, "");
      if (!(await this.#disk.exists(folder))) return [];
      const names = await this.#disk.list(folder);
      return names
        .filter((name) => !name.startsWith(".") && !name.endsWith(TEMPORARY_END))
        .map((name) => prefix + name);
    });
  }

  read(name: string, range?: PieceRange): Promise<Uint8Array | undefined> {
    return this.#attempt("read", async () => {
      const path = this.#path(name);
      if (!(await this.#disk.exists(path))) return undefined;
      if (range === undefined) return this.#disk.readWhole(path);
      await using file = await this.#disk.open(path, { access: "read" });
      const bytes = new Uint8Array(range.sizeBytes);
      return bytes.subarray(0, await file.readAt(bytes, range.offset));
    });
  }

  sizeOf(name: string): Promise<number | undefined> {
    return this.#attempt("read", async () => {
      const path = this.#path(name);
      if (!(await this.#disk.exists(path))) return undefined;
      await using file = await this.#disk.open(path, { access: "read" });
      return await file.sizeBytes();
    });
  }

  write(name: string, bytes: Uint8Array): Promise<void> {
    return this.#attempt("write", async () => {
      const path = this.#path(name);
      const folder = path.slice(0, path.lastIndexOf("/"));
      await makeDurableFolder(this.#disk, folder);
      const temporary = path + TEMPORARY_END;
      // What stands there is the rest of a write, or a link that would lead this one elsewhere.
      await this.#removeIfThere(temporary);
      try {
        await using file = await this.#disk.open(temporary, NEW_FILE);
        await file.writeAt([bytes], 0);
        await file.sync();
      } catch (error) {
        // On a full disk the space is wanted back; what cannot be removed is overwritten by the next try.
        await this.#disk.remove(temporary).catch(() => undefined);
        throw error;
      }
      await this.#disk.rename(temporary, path);
      await this.#disk.syncFolder(folder);
    });
  }

  remove(name: string): Promise<void> {
    return this.#attempt("remove", async () => {
      const path = this.#path(name);
      if (!(await this.#disk.exists(path))) return;
      await this.#disk.remove(path);
      await this.#disk.syncFolder(path.slice(0, path.lastIndexOf("/")));
    });
  }

  /** A link is removed itself, wherever it leads. */
  async #removeIfThere(path: string): Promise<void> {
    try {
      await this.#disk.remove(path);
    } catch (error) {
      if (!(error instanceof DiskError) || error.code !== "ENOENT") throw error;
    }
  }

  #path(name: string): string {
    return `${this.#folder}/${name}`;
  }

  async #attempt<Value>(action: string, work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      const code = error.isOutOfSpace ? "target-full" : "target-failed";
      const reason = error.isOutOfSpace ? "no space is left" : error.code;
      throw new BackupError(code, `cannot ${action} ${error.path}: ${reason}`, { cause: error });
    }
  }
}
