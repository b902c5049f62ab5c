import { type Disk, DiskError, type DiskFile, type DiskSpace, type OpenOptions } from "@kelp/base";

/** What happens at the chosen call: it alone fails, or it and every later one, as when the process died before it. */
export type StepFault = "EIO" | "ENOSPC" | "crash";

/**
 * A disk that counts the calls which change something, and lets one of them go wrong: for trying every place at which a piece
 * of work can be interrupted.
 */
export class SteppingDisk implements Disk {
  readonly #disk: Disk;
  /** Calls that changed something, and their names: for messages. */
  readonly steps: string[] = [];
  #failing: { readonly at: number; readonly fault: StepFault } | undefined;
  /** Before each call: for tests that do something at each step. */
  onStep: ((step: number) => void) | undefined;

  /** What is said to be free, instead of the truth. */
  availableBytes: number | undefined;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Counts from 0 again; the call number `at` (from 1) goes wrong. */
  failAt(at: number, fault: StepFault): void {
    this.steps.length = 0;
    this.#failing = { at, fault };
  }

  async open(path: string, options: OpenOptions): Promise<DiskFile> {
    if (options.create === true) this.step("create", path);
    return new SteppingFile(this, await this.#disk.open(path, options));
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

  async remove(path: string): Promise<void> {
    this.step("remove", path);
    await this.#disk.remove(path);
  }

  async rename(source: string, target: string): Promise<void> {
    this.step("rename", source);
    await this.#disk.rename(source, target);
  }

  async syncFolder(path: string): Promise<void> {
    this.step("sync folder", path);
    await this.#disk.syncFolder(path);
  }

  readWhole(path: string): Promise<Uint8Array> {
    return this.#disk.readWhole(path);
  }

  async writeWhole(path: string, content: Uint8Array, options?: { mode?: number }): Promise<void> {
    this.step("write whole", path);
    await this.#disk.writeWhole(path, content, options);
  }

  async space(path: string): Promise<DiskSpace> {
    const space = await this.#disk.space(path);
    return { ...space, availableBytes: this.availableBytes ?? space.availableBytes };
  }

  step(action: string, path: string): void {
    this.steps.push(`${action} ${path.slice(path.lastIndexOf("/") + 1)}`);
    const step = this.steps.length;
    this.onStep?.(step);
    const failing = this.#failing;
    if (failing === undefined || step < failing.at) return;
    if (failing.fault === "crash") throw new DiskError(action, path, "EIO", "the process is gone");
    if (step === failing.at) throw new DiskError(action, path, failing.fault, "injected");
  }
}

class SteppingFile implements DiskFile {
  readonly path: string;
  readonly #disk: SteppingDisk;
  readonly #file: DiskFile;

  constructor(disk: SteppingDisk, file: DiskFile) {
    this.path = file.path;
    this.#disk = disk;
    this.#file = file;
  }

  readAt(target: Uint8Array, offset: number): Promise<number> {
    return this.#file.readAt(target, offset);
  }

  readAtSync(target: Uint8Array, offset: number): number {
    return this.#file.readAtSync(target, offset);
  }

  async writeAt(parts: readonly Uint8Array[], offset: number): Promise<void> {
    this.#disk.step("write", this.path);
    await this.#file.writeAt(parts, offset);
  }

  async sync(): Promise<void> {
    this.#disk.step("sync", this.path);
    await this.#file.sync();
  }

  async truncate(sizeBytes: number): Promise<void> {
    this.#disk.step("truncate", this.path);
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
}
