import type { JobOptions, VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { VolumeSlot, VolumeTable } from "./volume-table.ts";

export type JobWork<Value> = (slot: VolumeSlot, signal: AbortSignal) => Promise<Value>;

/** The jobs on volumes that are under way: one at a time on each, all of them ended with the store. */
export class VolumeJobs {
  readonly #table: VolumeTable;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(table: VolumeTable) {
    this.#table = table;
  }

  /** Runs a job, which ends early when its caller or the store says so. Throws `job-running` when the volume has another, `closed` after `end`. */
  async run<Value>(
    id: VolumeId,
    name: string,
    { signal }: JobOptions,
    work: JobWork<Value>,
  ): Promise<Value> {
    const ended = this.#stopping.signal;
    // The store may have closed while the job's volume was had back.
    if (ended.aborted) {
      throw new VolumeError("closed", `Cannot ${name} volume ${id}: the store is closed`);
    }
    const either = signal === undefined ? ended : AbortSignal.any([signal, ended]);
    const job = this.#table.withJob(id, name, (slot) => work(slot, either));
    this.#underWay.add(job);
    try {
      return await job;
    } finally {
      this.#underWay.delete(job);
    }
  }

  /** Ends all and resolves when they have ended. Volumes are closed after them. */
  async end(): Promise<void> {
    this.#stopping.abort(new VolumeError("closed", "The job is ended: the store is closed"));
    await Promise.allSettled(this.#underWay);
  }
}
