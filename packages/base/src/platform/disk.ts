import { constants } from "node:fs";
import * as fs from "node:fs";
import { promisify } from "node:util";
import { dirname } from "node:path";
import { assertCount } from "../assert.ts";
import { attempt, errnoOf } from "./attempt.ts";
import { CacheAllowance } from "./cache-allowance.ts";
import { DirectFile } from "./direct-file.ts";
import { PAGE_BYTES, toNextPage } from "./page-memory.ts";
import { UnwrittenParts } from "./unwritten-parts.ts";
import { type Disk, DiskError, type DiskFile, type DiskSpace, type OpenOptions } from "../disk.ts";

/** Whether a write of so many bytes is for the page cache. */
type CacheShare = Pick<CacheAllowance, "take">;

/** All but files. */
const FOLDERS: Omit<Disk, "open"> = {
  async makeFolder(path) {
    await attempt("make folder", path, () =>
      fs.promises.mkdir(path, { recursive: true, mode: 0o700 }),
    );
  },
  list: (path) => attempt("list", path, () => fs.promises.readdir(path)),
  async exists(path) {
    try {
      await fs.promises.stat(path);
      return true;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return false;
      throw new DiskError("stat", path, errnoOf(error), error);
    }
  },
  remove: (path) => attempt("remove", path, () => fs.promises.rm(path)),
  rename: (source, target) => attempt("rename", source, () => fs.promises.rename(source, target)),
  async syncFolder(path) {
    await attempt("sync folder", path, async () => {
      await using handle = await fs.promises.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
      await handle.sync();
    });
  },
  readWhole: (path) => attempt("read", path, () => fs.promises.readFile(path)),
  async writeWhole(path, content, options) {
    const temporary = `${path}.${process.pid}.tmp`;
    await attempt("write", path, async () => {
      try {
        {
          await using handle = await fs.promises.open(temporary, "w", options?.mode ?? 0o600);
          await handle.writeFile(content);
          await handle.sync();
        }
        await fs.promises.rename(temporary, path);
      } catch (error) {
        // On a full disk what was written of it takes space that is wanted.
        await fs.promises.rm(temporary, { force: true });
        throw error;
      }
    });
    await FOLDERS.syncFolder(dirname(path));
  },
  async space(path): Promise<DiskSpace> {
    const stat = await attempt("measure", path, () => fs.promises.statfs(path));
    const { dev } = await attempt("measure", path, () => fs.promises.stat(path));
    return {
      totalBytes: stat.blocks * stat.bsize,
      availableBytes: stat.bavail * stat.bsize,
      fileSystem: String(dev),
    };
  },
};

/** The machine's file systems, through `node:fs`, with a measure of what large writes may take of the page cache. */
export function diskWith(cache: CacheShare): Disk {
  return {
    ...FOLDERS,
    async open(path, options) {
      const handle = await attempt("open", path, () =>
        fs.promises.open(path, flags(options), 0o600),
      );
      return new SystemFile(path, handle, { access: options.access, cache });
    },
  };
}

/** The machine's own. */
export const systemDisk: Disk = diskWith(new CacheAllowance(() => performance.now()));

/**
 * Writes up to this size go to the page cache without leaving the thread: that takes 6 to 16 µs, a visit to
 * the thread pool 60 to 80 µs. Only syncing waits for the disk.
 */
const SYNC_WRITE_BYTES_MAX = 256 * 1024;
/**
 * Of the writes with a part of this size, as the chunks of large objects are, those that the page cache is not to take go past it: through it each
 * MiB costs 0.25 ms of the kernel's time, five times that where the machine has to be given the memory first. Smaller ones save little
 * of that.
 */
const DIRECT_PART_BYTES_MIN = 2 * 1024 * 1024;

const fdatasync = promisify(fs.fdatasync);

class SystemFile implements DiskFile {
  readonly path: string;
  readonly #handle: fs.promises.FileHandle;
  readonly #cache: CacheShare;
  /** Absent for reading. */
  readonly #direct: DirectFile | undefined;
  #isOpen = true;

  constructor(
    path: string,
    handle: fs.promises.FileHandle,
    use: { readonly access: OpenOptions["access"]; readonly cache: CacheShare },
  ) {
    this.path = path;
    this.#handle = handle;
    this.#cache = use.cache;
    this.#direct = use.access === "read" ? undefined : new DirectFile(handle.fd);
  }

  async readAt(target: Uint8Array, offset: number): Promise<number> {
    assertCount(offset, "read offset is a count");
    let done = 0;
    while (done < target.length) {
      const start = done;
      const { bytesRead } = await attempt("read", this.path, () =>
        this.#handle.read(target, start, target.length - start, offset + start),
      );
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  readAtSync(target: Uint8Array, offset: number): number {
    assertCount(offset, "read offset is a count");
    try {
      let done = 0;
      while (done < target.length) {
        const count = fs.readSync(
          this.#handle.fd,
          target,
          done,
          target.length - done,
          offset + done,
        );
        if (count === 0) break;
        done += count;
      }
      return done;
    } catch (error) {
      throw new DiskError("read", this.path, errnoOf(error), error);
    }
  }

  async writeAt(parts: readonly Uint8Array[], offset: number): Promise<void> {
    assertCount(offset, "write offset is a count");
    const left = new UnwrittenParts(parts);
    const isSmall = left.leftBytes <= SYNC_WRITE_BYTES_MAX;
    let position = offset;
    const isBulk = parts.some((part) => part.length >= DIRECT_PART_BYTES_MIN);
    if (isBulk && !this.#cache.take(left.leftBytes)) {
      position += await this.#writePages(left, position);
    }
    while (left.leftBytes > 0) {
      position += isSmall
        ? this.#writeSync(left, left.leftBytes, position)
        : await this.#writeAsync(left, position);
    }
  }

  /** Writes what it can past the page cache, of which whole pages can; returns how many bytes are written. */
  async #writePages(parts: UnwrittenParts, offset: number): Promise<number> {
    const direct = this.#direct;
    if (direct === undefined) return 0;
    let position = offset;
    // The page that the file ends in is the page cache's, and so is the one that it will end in.
    const beforePages = toNextPage(position);
    if (beforePages > 0) position += this.#writeSync(parts, beforePages, position);
    while (parts.leftBytes >= PAGE_BYTES && toNextPage(position) === 0) {
      const start = position;
      const count = await attempt("write", this.path, () => direct.write(parts, start));
      if (count === undefined) break;
      parts.skip(count);
      position += count;
    }
    return position - offset;
  }

  /** Writes some of the first `sizeBytes`; returns how many. */
  #writeSync(parts: UnwrittenParts, sizeBytes: number, position: number): number {
    try {
      const count = fs.writevSync(this.#handle.fd, parts.first(sizeBytes), position);
      parts.skip(count);
      return count;
    } catch (error) {
      throw new DiskError("write", this.path, errnoOf(error), error);
    }
  }

  async #writeAsync(parts: UnwrittenParts, position: number): Promise<number> {
    const { bytesWritten } = await attempt("write", this.path, () =>
      this.#handle.writev(parts.first(parts.leftBytes), position),
    );
    parts.skip(bytesWritten);
    return bytesWritten;
  }
  sync(): Promise<void> {
    return attempt("sync", this.path, () => fdatasync(this.#handle.fd));
  }

  truncate(sizeBytes: number): Promise<void> {
    return attempt("truncate", this.path, () => this.#handle.truncate(sizeBytes));
  }

  async sizeBytes(): Promise<number> {
    return (await attempt("stat", this.path, () => this.#handle.stat())).size;
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#direct?.close();
    await attempt("close", this.path, () => this.#handle.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function flags(options: OpenOptions): number {
  let value = options.access === "read" ? constants.O_RDONLY : constants.O_RDWR;
  if (options.create) value |= constants.O_CREAT;
  if (options.exclusive) value |= constants.O_EXCL;
  return value;
}
