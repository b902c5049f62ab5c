import type { DiskFile } from "@kelp/base";
import { JOB_SYNC_BYTES } from "../limits.ts";

/**
 * Syncs a growing file of a job each time that `JOB_SYNC_BYTES` were written to it: one large sync would hold up those of the appends
 * that somebody waits for, on the same disk, until all of it is written.
 */
export class SteadySync {
  readonly #file: Pick<DiskFile, "sync">;
  #unsyncedBytes: number;

  /** `headStartBytes`: taken for written already, so that files which grow together are not synced together. */
  constructor(file: Pick<DiskFile, "sync">, { headStartBytes } = { headStartBytes: 0 }) {
    this.#file = file;
    this.#unsyncedBytes = headStartBytes;
  }

  /** So many bytes more were written; they may be durable when this resolves, or not yet. */
  async wrote(bytes: number): Promise<void> {
    this.#unsyncedBytes += bytes;
    if (this.#unsyncedBytes >= JOB_SYNC_BYTES) await this.finish();
  }

  /** Everything written is durable when this resolves. */
  async finish(): Promise<void> {
    this.#unsyncedBytes = 0;
    await this.#file.sync();
  }
}
