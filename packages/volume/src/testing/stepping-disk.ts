import { DiskError, type DiskFile, type DiskSpace, type OpenOptions } from "@kelp/base";
import { ForwardingDisk, ForwardingFile } from "@kelp/base/testing";

/** What happens at the chosen call: it alone fails, or it and every later one, as when the process died before it. */
export type StepFault = "EIO" | "ENOSPC" | "crash";

/**
 * A disk that counts the calls which change something, and lets one of them go wrong: for trying every place at which a piece
 * of work can be interrupted.
 */
export class SteppingDisk extends ForwardingDisk {
  /** Calls that changed something, and their names: for messages. */
  readonly steps: string[] = [];
  #failing: { readonly at: number; readonly fault: StepFault } | undefined;
  /** Before each call: for tests that do something at each step. */
  onStep: ((step: number) => void) | undefined;

  /** What is said to be free, instead of the truth. */
  availableBytes: number | undefined;

  /** Counts from 0 again; the call number `at` (from 1) goes wrong. */
  failAt(at: number, fault: StepFault): void {
    this.steps.length = 0;
    this.#failing = { at, fault };
  }

  override async open(path: string, options: OpenOptions): Promise<DiskFile> {
    if (options.create === true) this.step("create", path);
    return new SteppingFile(this, await this.below.open(path, options));
  }

  override async remove(path: string): Promise<void> {
    this.step("remove", path);
    await this.below.remove(path);
  }

  override async rename(source: string, target: string): Promise<void> {
    this.step("rename", source);
    await this.below.rename(source, target);
  }

  override async syncFolder(path: string): Promise<void> {
    this.step("sync folder", path);
    await this.below.syncFolder(path);
  }

  override async writeWhole(
    path: string,
    content: Uint8Array,
    options?: { mode?: number },
  ): Promise<void> {
    this.step("write whole", path);
    await this.below.writeWhole(path, content, options);
  }

  override async space(path: string): Promise<DiskSpace> {
    const space = await this.below.space(path);
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

class SteppingFile extends ForwardingFile {
  readonly #disk: SteppingDisk;

  constructor(disk: SteppingDisk, file: DiskFile) {
    super(file);
    this.#disk = disk;
  }

  override async writeAt(parts: readonly Uint8Array[], offset: number): Promise<void> {
    this.#disk.step("write", this.path);
    await this.below.writeAt(parts, offset);
  }

  override async sync(): Promise<void> {
    this.#disk.step("sync", this.path);
    await this.below.sync();
  }

  override async truncate(sizeBytes: number): Promise<void> {
    this.#disk.step("truncate", this.path);
    await this.below.truncate(sizeBytes);
  }
}
