import type { Disk } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import { VACUUM_RECHECK_BYTES, VACUUM_SPARE_BYTES } from "../limits.ts";
import type { Pace } from "../pace/pace.ts";
import type { CompactionPaths } from "./compaction-files.ts";
import type { CopyMeter } from "./record-copier.ts";

export interface CopyAllowanceOptions {
  readonly disk: Pick<Disk, "space">;
  readonly paths: Pick<CompactionPaths, "data" | "folder">;
  readonly pace: Pace;
  /** Size of all new files, as it is to be expected at the moment of asking. */
  readonly wantedBytes: () => number;
}

/** What copying a volume may take: a rate, and space on its disk, which is looked at again every `VACUUM_RECHECK_BYTES`. */
export class CopyAllowance implements CopyMeter {
  /** May be exchanged on the way. */
  pace: Pace;
  readonly #options: Omit<CopyAllowanceOptions, "pace">;
  #copiedBytes = 0;
  #uncheckedBytes = 0;

  constructor(options: CopyAllowanceOptions) {
    this.#options = options;
    this.pace = options.pace;
  }

  async spend(bytes: number): Promise<void> {
    this.#uncheckedBytes += bytes;
    if (this.#uncheckedBytes >= VACUUM_RECHECK_BYTES) {
      this.#uncheckedBytes = 0;
      await this.requireSpace();
    }
    await this.pace.spend(bytes);
  }

  onCopied(bytes: number): void {
    this.#copiedBytes += bytes;
  }

  /** That what is still to be copied fits, and leaves something for those who do not wait for it. Throws `out-of-space`. */
  async requireSpace(): Promise<void> {
    const { disk, paths, wantedBytes } = this.#options;
    const neededBytes = Math.max(0, wantedBytes() - this.#copiedBytes) + VACUUM_SPARE_BYTES;
    const { availableBytes } = await disk.space(paths.folder);
    if (neededBytes <= availableBytes) return;
    const found = `the copy needs ${neededBytes} bytes, ${availableBytes} are free`;
    throw new VolumeError("out-of-space", `Cannot vacuum ${paths.data}: ${found}`);
  }
}
