import { type Disk, DiskError } from "@kelp/base";

/** The built web app. */
export interface StaticFiles {
  /** Content of a file by its path without leading slash, such as `assets/index-4f2a.js`; `undefined` when absent. */
  read(path: string): Promise<Uint8Array<ArrayBufferLike> | undefined>;
}

/** Files of the app kept in memory; the whole build is a few megabytes. */
export const STATIC_CACHE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Serves a build folder from `disk`. Files are kept in memory after the first read, up to `STATIC_CACHE_BYTES_MAX`;
 * `index.html` is read anew each time, so that a rebuilt app shows without a restart.
 */
export function folderStaticFiles(disk: Disk, folder: string): StaticFiles {
  const cache = new Map<string, Uint8Array>();
  let cachedBytes = 0;
  return {
    async read(path) {
      if (!isSafePath(path)) return undefined;
      const cached = cache.get(path);
      if (cached !== undefined) return cached;
      const content = await readOrUndefined(disk, `${folder}/${path}`);
      if (content === undefined || !isImmutablePath(path)) return content;
      if (cachedBytes + content.length <= STATIC_CACHE_BYTES_MAX) {
        cachedBytes += content.length;
        cache.set(path, content);
      }
      return content;
    },
  };
}

/** Names under `assets/` carry a hash of their content. */
export function isImmutablePath(path: string): boolean {
  return path.startsWith("assets/");
}

/** Plain names only: no empty, hidden or parent segment can reach the disk. */
function isSafePath(path: string): boolean {
  return /^[A-Za-z0-9_-][A-Za-z0-9_.-]*(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/.test(path);
}

async function readOrUndefined(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  try {
    return await disk.readWhole(path);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    if (error.code === "ENOENT" || error.code === "EISDIR" || error.code === "ENOTDIR") {
      return undefined;
    }
    throw error;
  }
}
