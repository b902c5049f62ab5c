import { constants } from "node:fs";
import * as fs from "node:fs";
import { promisify } from "node:util";
import { dirname, join } from "node:path";
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
      {
        await using handle = await fs.promises.open(temporary, "w", options?.mode ?? 0o600);
        await handle.writeFile(content);
        await handle.sync();
      }
      await fs.promises.rename(temporary, path);
    });
    await systemDisk.syncFolder(dirname(path));
  },
  async space(path): Promise<DiskSpace> {
    const stat = await attempt("measure", path, () => fs.promises.statfs(path));
    return { totalBytes: stat.blocks * stat.bsize, availableBytes: stat.bavail * stat.bsize };
  },
};

export { join as joinPath };

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
    let position = offset;
    for (const part of parts) {
      let done = 0;
      while (done < part.length) {
        const start = done;
        const { bytesWritten } = await attempt("write", this.path, () =>
          this.#handle.write(part, start, part.length - start, position + start),
        );
        done += bytesWritten;
      }
      position += part.length;
    }
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
