import { dirname } from "node:path";
import { DiskError, type DiskFile, type DiskSpace, type OpenOptions } from "../disk.ts";
import { ForwardingDisk, ForwardingFile } from "./forwarding-disk.ts";

/**
 * A disk that fails on demand, around another that does the work. Faults are set while it is in use and hold
 * for all its files, or for those whose path ends in `onlyPathEnd`.
 */
export class FaultyDisk extends ForwardingDisk {
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

  override async open(path: string, options: OpenOptions): Promise<DiskFile> {
    return new FaultyFile(this, await this.below.open(path, options));
  }

  override syncFolder(path: string): Promise<void> {
    return this.forgetsFolderSyncs ? Promise.resolve() : this.below.syncFolder(path);
  }

  /** The steps of a real one, so that each can fail. Faults of the path hold for its temporary file, too. */
  override async writeWhole(path: string, content: Uint8Array): Promise<void> {
    const temporary = `${path}.tmp`;
    const file = await this.below.open(temporary, { access: "read-write", create: true });
    try {
      await using faulty = new FaultyFile(this, file, path);
      await faulty.truncate(0);
      await faulty.writeAt([content], 0);
      await faulty.sync();
      await this.below.rename(temporary, path);
    } catch (error) {
      await this.below.remove(temporary);
      throw error;
    }
    await this.syncFolder(dirname(path));
  }

  override async space(path: string): Promise<DiskSpace> {
    const space = await this.below.space(path);
    const availableBytes = Math.min(space.availableBytes, this.spaceBytes);
    return { ...space, availableBytes };
  }

  concerns(path: string): boolean {
    return path.endsWith(this.onlyPathEnd);
  }
}

class FaultyFile extends ForwardingFile {
  readonly #faults: FaultyDisk;

  /** `path` decides which faults concern it. */
  constructor(faults: FaultyDisk, file: DiskFile, path = file.path) {
    super(file, path);
    this.#faults = faults;
  }

  override async readAt(target: Uint8Array, offset: number): Promise<number> {
    this.#countRead(target.length);
    return this.below.readAt(target, offset);
  }

  override readAtSync(target: Uint8Array, offset: number): number {
    this.#countRead(target.length);
    return this.below.readAtSync(target, offset);
  }

  override async writeAt(parts: readonly Uint8Array[], offset: number): Promise<void> {
    const faults = this.#faults;
    if (!faults.concerns(this.path)) return this.below.writeAt(parts, offset);
    faults.writeCount++;
    faults.writesUntilFailure--;
    const bytes = Buffer.concat(parts);
    if (faults.writesUntilFailure <= 0) {
      await this.below.writeAt([bytes.subarray(0, bytes.length >> 1)], offset);
      faults.afterFailure();
      throw this.#error("write", "EIO");
    }
    const fitting = Math.min(bytes.length, faults.spaceBytes);
    faults.spaceBytes -= fitting;
    await this.below.writeAt([bytes.subarray(0, fitting)], offset);
    if (fitting === bytes.length) return;
    faults.afterFailure();
    throw this.#error("write", "ENOSPC");
  }

  override async sync(): Promise<void> {
    const faults = this.#faults;
    if (!faults.concerns(this.path)) return this.below.sync();
    faults.syncCount++;
    faults.syncsUntilFailure--;
    await faults.syncGate;
    if (faults.syncsUntilFailure <= 0) {
      faults.afterFailure();
      throw this.#error("sync", faults.syncFailure);
    }
    if (!faults.forgetsSyncs) await this.below.sync();
  }

  override async truncate(sizeBytes: number): Promise<void> {
    const faults = this.#faults;
    if (faults.failsTruncate && faults.concerns(this.path)) throw this.#error("truncate", "EIO");
    await this.below.truncate(sizeBytes);
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
