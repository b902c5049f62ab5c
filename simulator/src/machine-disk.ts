import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import type { Disk, DiskFile } from "@kelp/base";

/**
 * The machine's own files, for what SQLite has to open. Every call ends at once and so in the same order in each run; nothing
 * is synced: no power is cut here.
 */
export const machineDisk: Disk = {
  open: async (path, options) => {
    if (options.create === true && !existsSync(path)) writeFileSync(path, "");
    return machineFile(path, openSync(path, options.access === "read" ? "r" : "r+"));
  },
  makeFolder: async (path) => void mkdirSync(path, { recursive: true }),
  list: async (path) => readdirSync(path),
  exists: async (path) => existsSync(path),
  remove: async (path) => rmSync(path),
  rename: async (source, target) => renameSync(source, target),
  syncFolder: async () => undefined,
  readWhole: async (path) => readFileSync(path),
  writeWhole: async (path, content) => writeFileSync(path, content),
  space: async () => ({ totalBytes: 2 ** 40, availableBytes: 2 ** 40 }),
};

function machineFile(path: string, handle: number): DiskFile {
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) closeSync(handle);
    isOpen = false;
  };
  return {
    path,
    readAt: async (target, offset) => readSync(handle, target, 0, target.length, offset),
    readAtSync: (target, offset) => readSync(handle, target, 0, target.length, offset),
    writeAt: async (parts, offset) => {
      let at = offset;
      for (const part of parts) at += writeSync(handle, part, 0, part.length, at);
    },
    sync: async () => undefined,
    truncate: async (sizeBytes) => ftruncateSync(handle, sizeBytes),
    sizeBytes: async () => fstatSync(handle).size,
    close,
    [Symbol.asyncDispose]: close,
  };
}
