import * as fs from "node:fs";
import { dirname, join, relative } from "node:path";
import { DiskError } from "../disk.ts";
import { attempt, errnoOf } from "./attempt.ts";
import type { FileKind, LocalFiles, WalkedFile } from "../local-files.ts";

/** The machine's files. */
export const systemFiles: LocalFiles = {
  async makeFolder(path) {
    await attempt("make folder", path, () => fs.promises.mkdir(path, { recursive: true }));
  },
  removeTree: (path) =>
    attempt("remove", path, () => fs.promises.rm(path, { recursive: true, force: true })),
  describe: async (path) => describe(path),
  async walk(path) {
    const found: WalkedFile[] = [];
    // Folders are entered one by one: the runtime's own recursion enters linked folders, wherever they lead.
    const folders = [path];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const parent = folder;
      const entries = await attempt("list", parent, () =>
        fs.promises.readdir(parent, { withFileTypes: true }),
      );
      for (const entry of entries) {
        const absolute = join(parent, entry.name);
        if (entry.isDirectory()) {
          folders.push(absolute);
          continue;
        }
        const kind = describe(absolute);
        if (kind?.kind === "file") {
          found.push({ path: relative(path, absolute), sizeBytes: kind.sizeBytes });
        }
      }
    }
    return found.sort((left, right) => (left.path < right.path ? -1 : 1));
  },
  async list(path) {
    try {
      return (await fs.promises.readdir(path)).sort();
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return [];
      throw new DiskError("list", path, errnoOf(error), error);
    }
  },
  async readText(path, limitBytes) {
    const kind = describe(path);
    if (kind === undefined) return undefined;
    if (kind.kind === "folder") throw new DiskError("read", path, "EISDIR", undefined);
    if (kind.sizeBytes > limitBytes) throw new DiskError("read", path, "EFBIG", undefined);
    return attempt("read", path, () => fs.promises.readFile(path, "utf8"));
  },
  async writeText(path, text, options) {
    await attempt("write", path, async () => {
      await fs.promises.mkdir(dirname(path), { recursive: true });
      await fs.promises.writeFile(path, text, { mode: options?.mode ?? 0o644 });
    });
  },
  async createExclusive(path, text) {
    try {
      await fs.promises.mkdir(dirname(path), { recursive: true });
      await fs.promises.writeFile(path, text, { flag: "wx" });
      return "created";
    } catch (error) {
      if (errnoOf(error) === "EEXIST") return "exists";
      throw new DiskError("create", path, errnoOf(error), error);
    }
  },
  rename: (source, target) => attempt("rename", source, () => fs.promises.rename(source, target)),
  async *read(path, offset = 0) {
    const handle = await attempt("open", path, () => fs.promises.open(path, "r"));
    try {
      let position = offset;
      for (;;) {
        const buffer = Buffer.allocUnsafe(READ_PIECE_BYTES);
        const at = position;
        const { bytesRead } = await attempt("read", path, () =>
          handle.read(buffer, 0, buffer.length, at),
        );
        if (bytesRead === 0) return;
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  },
  async write(path, content) {
    await attempt("make folder", path, () => fs.promises.mkdir(dirname(path), { recursive: true }));
    const handle = await attempt("open", path, () => fs.promises.open(path, "w"));
    try {
      for await (const piece of content) {
        await attempt("write", path, () => handle.writeFile(piece));
      }
    } finally {
      await handle.close();
    }
  },
  async openAppend(path) {
    await attempt("make folder", path, () => fs.promises.mkdir(dirname(path), { recursive: true }));
    let fd: number | undefined = fs.openSync(path, "a");
    const close = async (): Promise<void> => {
      if (fd === undefined) return;
      fs.closeSync(fd);
      fd = undefined;
    };
    return {
      append(bytes) {
        if (fd === undefined) throw new DiskError("append to", path, "EBADF", undefined);
        try {
          for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done);
        } catch (error) {
          throw new DiskError("append to", path, errnoOf(error), error);
        }
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  },
};

/** One read of a streamed file: large enough to keep system calls rare, small enough for many at once. */
const READ_PIECE_BYTES = 256 * 1024;

function describe(path: string): FileKind | undefined {
  try {
    const stat = fs.statSync(path);
    if (stat.isDirectory()) return { kind: "folder" };
    return stat.isFile() ? { kind: "file", sizeBytes: stat.size } : undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined;
    throw new DiskError("stat", path, code, error);
  }
}
