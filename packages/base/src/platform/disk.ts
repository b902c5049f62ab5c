import { constants } from "node:fs";
import * as fs from "node:fs";
import { promisify } from "node:util";
import { dirname } from "node:path";
import { assertCount } from "../assert.ts";
import { type Disk, DiskError, type DiskFile, type DiskSpace, type OpenOptions } from "../disk.ts";

/** The machine's file systems, through `node:fs`. */
export const systemDisk: Disk = {
  async open(path, options) {
    const fd = await attempt("open", path, () => fs.promises.open(path, flags(options), 0o600));
    return new SystemFile(path, fd);
  },
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
    await systemDisk.syncFolder(dirname(path));
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

/**
 * Writes up to this size go to the page cache without leaving the thread: that takes 6 to 16 µs, a visit to
 * the thread pool 60 to 80 µs. Only syncing waits for the disk.
 */
const SYNC_WRITE_BYTES_MAX = 256 * 1024;
/** IOV_MAX of Linux: parts of one system call. */
const VECTOR_PARTS_MAX = 1024;

const fdatasync = promisify(fs.fdatasync);

class SystemFile implements DiskFile {
  readonly path: string;
  readonly #handle: fs.promises.FileHandle;
  #isOpen = true;

  constructor(path: string, handle: fs.promises.FileHandle) {
    this.path = path;
    this.#handle = handle;
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
    let left = parts.reduce((sum, part) => sum + part.length, 0);
    const isSmall = left <= SYNC_WRITE_BYTES_MAX;
    let position = offset;
    let rest = parts;
    while (left > 0) {
      const vector = rest.slice(0, VECTOR_PARTS_MAX);
      const count = isSmall
        ? this.#writeSync(vector, position)
        : await this.#writeAsync(vector, position);
      left -= count;
      position += count;
      if (left > 0) rest = withoutFirst(rest, count);
    }
  }

  #writeSync(parts: readonly Uint8Array[], position: number): number {
    try {
      return fs.writevSync(this.#handle.fd, parts, position);
    } catch (error) {
      throw new DiskError("write", this.path, errnoOf(error), error);
    }
  }

  #writeAsync(parts: readonly Uint8Array[], position: number): Promise<number> {
    return attempt("write", this.path, async () => {
      const { bytesWritten } = await this.#handle.writev(parts, position);
      return bytesWritten;
    });
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
    await attempt("close", this.path, () => this.#handle.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** What is left of `parts` after their first `count` bytes. */
function withoutFirst(parts: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skip = count;
  let index = 0;
  for (const part of parts) {
    if (skip < part.length) break;
    skip -= part.length;
    index++;
  }
  const [first, ...others] = parts.slice(index);
  return first === undefined ? [] : [first.subarray(skip), ...others];
}

function flags(options: OpenOptions): number {
  let value = options.access === "read" ? constants.O_RDONLY : constants.O_RDWR;
  if (options.create) value |= constants.O_CREAT;
  if (options.exclusive) value |= constants.O_EXCL;
  return value;
}

async function attempt<Value>(
  action: string,
  path: string,
  run: () => Promise<Value>,
): Promise<Value> {
  try {
    return await run();
  } catch (error) {
    throw new DiskError(action, path, errnoOf(error), error);
  }
}

function errnoOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.code;
  return "UNKNOWN";
}
