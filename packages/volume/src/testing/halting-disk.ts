import { type Disk, DiskError, type DiskFile, type OpenOptions } from "@kelp/base";

/** A disk that stops after so many changes, as when the process dies there: each further change fails and does nothing. */
export class HaltingDisk implements Disk {
  readonly #disk: Disk;
  changesLeft: number;
  /** Changes that were made. */
  changeCount = 0;

  constructor(disk: Disk, changesLeft: number) {
    this.#disk = disk;
    this.changesLeft = changesLeft;
  }

  async open(path: string, options: OpenOptions): Promise<DiskFile> {
    if (options.create === true && !(await this.#disk.exists(path))) this.#change("open", path);
    return this.#wrap(await this.#disk.open(path, options));
  }

  makeFolder(path: string): Promise<void> {
    return this.#changed("make folder", path, () => this.#disk.makeFolder(path));
  }
  list(path: string): Promise<string[]> {
    return this.#disk.list(path);
  }
  exists(path: string): Promise<boolean> {
    return this.#disk.exists(path);
  }
  remove(path: string): Promise<void> {
    return this.#changed("remove", path, () => this.#disk.remove(path));
  }
  rename(source: string, target: string): Promise<void> {
    return this.#changed("rename", source, () => this.#disk.rename(source, target));
  }
  syncFolder(path: string): Promise<void> {
    return this.#changed("sync folder", path, () => this.#disk.syncFolder(path));
  }
  readWhole(path: string): Promise<Uint8Array> {
    return this.#disk.readWhole(path);
  }
  writeWhole(path: string, content: Uint8Array, options?: { mode?: number }): Promise<void> {
    return this.#changed("write", path, () => this.#disk.writeWhole(path, content, options));
  }
  space(path: string): ReturnType<Disk["space"]> {
    return this.#disk.space(path);
  }

  #wrap(file: DiskFile): DiskFile {
    return {
      path: file.path,
      readAt: (target, offset) => file.readAt(target, offset),
      readAtSync: (target, offset) => file.readAtSync(target, offset),
      writeAt: (parts, offset) =>
        this.#changed("write", file.path, () => file.writeAt(parts, offset)),
      sync: () => this.#changed("sync", file.path, () => file.sync()),
      truncate: (size) => this.#changed("truncate", file.path, () => file.truncate(size)),
      sizeBytes: () => file.sizeBytes(),
      close: () => file.close(),
      [Symbol.asyncDispose]: () => file.close(),
    };
  }

  async #changed(action: string, path: string, change: () => Promise<void>): Promise<void> {
    this.#change(action, path);
    await change();
  }

  #change(action: string, path: string): void {
    if (this.changesLeft <= 0) throw new DiskError(action, path, "EIO", undefined);
    this.changesLeft--;
    this.changeCount++;
  }
}
