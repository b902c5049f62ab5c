import type { Disk, DiskFile, DiskSpace, OpenOptions } from "../disk.ts";

/** Passes everything on to the disk below: what a disk of tests does where it does nothing else. */
export class ForwardingDisk implements Disk {
  protected readonly below: Disk;

  constructor(below: Disk) {
    this.below = below;
  }

  open(path: string, options: OpenOptions): Promise<DiskFile> {
    return this.below.open(path, options);
  }

  makeFolder(path: string): Promise<void> {
    return this.below.makeFolder(path);
  }

  list(path: string): Promise<string[]> {
    return this.below.list(path);
  }

  exists(path: string): Promise<boolean> {
    return this.below.exists(path);
  }

  remove(path: string): Promise<void> {
    return this.below.remove(path);
  }

  rename(source: string, target: string): Promise<void> {
    return this.below.rename(source, target);
  }

  syncFolder(path: string): Promise<void> {
    return this.below.syncFolder(path);
  }

  readWhole(path: string): Promise<Uint8Array> {
    return this.below.readWhole(path);
  }

  writeWhole(
    path: string,
    content: Uint8Array,
    options?: Parameters<Disk["writeWhole"]>[2],
  ): Promise<void> {
    return this.below.writeWhole(path, content, options);
  }

  space(path: string): Promise<DiskSpace> {
    return this.below.space(path);
  }
}

/** The same for a file. */
export class ForwardingFile implements DiskFile {
  readonly path: string;
  protected readonly below: DiskFile;

  constructor(below: DiskFile, path = below.path) {
    this.below = below;
    this.path = path;
  }

  readAt(target: Uint8Array, offset: number): Promise<number> {
    return this.below.readAt(target, offset);
  }

  readAtSync(target: Uint8Array, offset: number): number {
    return this.below.readAtSync(target, offset);
  }

  writeAt(parts: readonly Uint8Array[], offset: number): Promise<void> {
    return this.below.writeAt(parts, offset);
  }

  sync(): Promise<void> {
    return this.below.sync();
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.below.truncate(sizeBytes);
  }

  sizeBytes(): Promise<number> {
    return this.below.sizeBytes();
  }

  close(): Promise<void> {
    return this.below.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
