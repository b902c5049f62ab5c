import { dirname } from "node:path";
import { type Disk, DiskError, type DiskFile, type DiskSpace, type OpenOptions } from "../disk.ts";

/**
 * A disk that fails on demand, around another that does the work. Faults are set while it is in use and hold
 * for all its files, or for those whose path ends in `onlyPathEnd`.
 */
export class FaultyDisk implements Disk {
  readonly #disk: Disk;
  /** Bytes that can still be written; a write beyond is cut short there and fails with ENOSPC. */
  spaceBytes = Number.POSITIVE_INFINITY;
  /** Counts down with each write; the one that reaches 0 is cut in half and fails with EIO, as do all after it. */
  writesUntilFailure = Number.POSITIVE_INFINITY;
  /** The same for syncs, which leave everything where it is. */
  syncsUntilFailure = Number.POSITIVE_INFINITY;
  /** Errno name of a failing sync. */
  syncFailure = "EIO";
  /** Whether truncating fails with EIO. */
  failsTruncate = false;
  /** Whether reading fails with EIO. */
  failsReads = false;
  /** Whether syncs of files say that they are done and do nothing, as some disks do. */
  forgetsSyncs = false;
  /** The same for syncs of folders. */
  forgetsFolderSyncs = false;
  /** Called after a write or sync failed on demand: where the next failure is chosen. */
  afterFailure: () => void = () => undefined;
  onlyPathEnd = "";
  /** When set, a sync waits for it: for tests of what happens meanwhile. */
  syncGate: Promise<void> | undefined;
  /** Calls made, failed ones included. */
  syncCount = 0;
  writeCount = 0;
  readBytes = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async open(path: string, options: OpenOptions): Promise<DiskFile> {
    return new FaultyFile(this, await this.#disk.open(path, options));
  }

  makeFolder(path: string): Promise<void> {
    return this.#disk.makeFolder(path);
  }

  list(path: string): Promise<string[]> {
    return this.#disk.list(path);
  }

  exists(path: string): Promise<boolean> {
    return this.#disk.exists(path);
  }

  remove(path: string): Promise<void> {
    return this.#disk.remove(path);
  }

  rename(source: string, target: string): Promise<void> {
    return this.#disk.rename(source, target);
  }

  syncFolder(path: string): Promise<void> {
    return this.forgetsFolderSyncs ? Promise.resolve() : this.#disk.syncFolder(path);
  }

  readWhole(path: string): Promise<Uint8Array> {
    return this.#disk.readWhole(path);
  }

  /** The steps of a real one, so that each can fail. Faults of the path hold for its temporary file, too. */
  async writeWhole(path: string, content: Uint8Array): Promise<void> {
    const temporary = `${path}.tmp`;
    const file = await this.#disk.open(temporary, { access: "read-write", create: true });
    try {
      await using faulty = new FaultyFile(this, file, path);
      await faulty.truncate(0);
      await faulty.writeAt([content], 0);
      await faulty.sync();
      await this.#disk.rename(temporary, path);
    } catch (error) {
      await this.#disk.remove(temporary);
      throw error;
    }
    await this.syncFolder(dirname(path));
  }

  async space(path: string): Promise<DiskSpace> {
    const space = await this.#disk.space(path);
    const availableBytes = Math.min(space.availableBytes, this.spaceBytes);
    return { ...space, availableBytes };
  }

  concerns(path: string): boolean {
    return path.endsWith(this.onlyPathEnd);
  }
}

class FaultyFile implements DiskFile {
  readonly path: string;
  readonly #faults: FaultyDisk;
  readonly #file: DiskFile;

  /** `path` decides which faults concern it. */
  constructor(faults: FaultyDisk, file: DiskFile, path = file.path) {
    this.path = path;
    this.#faults = faults;
    this.#file = file;
  }

  async readAt(target: Uint8Array, offset: number): Promise<number> {
    this.#countRead(target.length);
    return this.#file.readAt(target, offset);
  }

  readAtSync(target: Uint8Array, offset: number): number {
    this.#countRead(target.length);
    return this.#file.readAtSync(target, offset);
  }

  async writeAt(parts: readonly Uint8Array[], offset: number): Promise<void> {
    const faults = this.#faults;
    if (!faults.concerns(this.path)) return this.#file.writeAt(parts, offset);
    faults.writeCount++;
    faults.writesUntilFailure--;
    const bytes = Buffer.concat(parts);
    if (faults.writesUntilFailure <= 0) {
      await this.#file.writeAt([bytes.subarray(0, bytes.length >> 1)], offset);
      faults.afterFailure();
      throw this.#error("write", "EIO");
    }
    const fitting = Math.min(bytes.length, faults.spaceBytes);
    faults.spaceBytes -= fitting;
    await this.#file.writeAt([bytes.subarray(0, fitting)], offset);
    if (fitting === bytes.length) return;
    faults.afterFailure();
    throw this.#error("write", "ENOSPC");
  }

  async sync(): Promise<void> {
    const faults = this.#faults;
    if (!faults.concerns(this.path)) return this.#file.sync();
    faults.syncCount++;
    faults.syncsUntilFailure--;
    await faults.syncGate;
    if (faults.syncsUntilFailure <= 0) {
      faults.afterFailure();
      throw this.#error("sync", faults.syncFailure);
    }
    if (!faults.forgetsSyncs) await this.#file.sync();
  }

  async truncate(sizeBytes: number): Promise<void> {
    const faults = this.#faults;
    if (faults.failsTruncate && faults.concerns(this.path)) throw this.#error("truncate", "EIO");
    await this.#file.truncate(sizeBytes);
  }

  sizeBytes(): Promise<number> {
    return this.#file.sizeBytes();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #countRead(bytes: number): void {
    if (!this.#faults.concerns(this.path)) return;
    if (this.#faults.failsReads) throw this.#error("read", "EIO");
    this.#faults.readBytes += bytes;
  }

  #error(action: string, code: string): DiskError {
    return new DiskError(action, this.path, code, undefined);
  }
}
