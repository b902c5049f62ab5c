import type {
  ByteStream,
  Clock,
  Hashes,
  LocalFiles,
  Log,
  Random,
  Service,
  SqlDatabase,
} from "@kelp/base";
import type { Lineage } from "@kelp/lineage";
import type { ObjectStore } from "@kelp/wire";
import type { Executor } from "../executor/executor.ts";
import type { NewRun, Run, Task } from "../run/run.ts";
import type { Secrets } from "./platform-settings.ts";

/** Runs walked at once; more wait as PENDING rows. */
export const RUNS_ACTIVE_MAX = 200;
/** Where artifacts go when neither run nor specification says. */
export const DEFAULT_PIPELINE_ROOT = "s3://mlpipeline/v2/artifacts";
export interface EngineDeps {
  readonly database: SqlDatabase;
  readonly lineage: Lineage;
  readonly objects: ObjectStore;
  readonly executor: Executor;
  readonly files: LocalFiles;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
  readonly log: Log;
}

export interface EngineOptions {
  /** Steps running at once, over all runs. Give the number of cores, at least 2. */
  readonly parallelism: number;
  /** Folder for logs of running steps. */
  readonly logFolder: string;
  /** Default true. */
  readonly isCacheEnabled?: boolean;
  /** Default `DEFAULT_PIPELINE_ROOT`. Its bucket is created when absent. */
  readonly pipelineRoot?: string;
  /** Owner of that bucket. */
  readonly bucketOwner?: string;
  readonly secrets?: Secrets;
}

/** See `createPipelinesEngine`. All methods are for one process: two engines on one database would both run steps. */
export interface PipelinesEngine extends Service {
  /** Takes up runs that an earlier process left unfinished. Call once, before anything else. */
  resume(): Promise<void>;
  /**
   * Stores a run, PENDING and durable; it starts by itself.
   * @throws PipelinesError `invalid-parameter`, `invalid-argument`; `unavailable` while stopping.
   */
  createRun(request: NewRun): Run;
  getRun(runId: string): Run | undefined;
  /** Every task of the run as it stands, parents first. Empty when there is no such run. */
  getTasks(runId: string): readonly Task[];
  getTask(runId: string, taskId: string): Task | undefined;
  /** Kills running steps; the run ends FAILED, its unfinished tasks CANCELED. Harmless on a finished run. @throws `not-found` */
  terminateRun(runId: string): void;
  /** Runs the failed part of a FAILED run again. @throws `not-found`, `failed-precondition` */
  retryRun(runId: string): Run;
  /** Removes the run and its tasks, stopping it first. Artifacts and logs in the store stay. @throws `not-found` */
  deleteRun(runId: string): void;
  archiveRun(runId: string): void;
  unarchiveRun(runId: string): void;
  /**
   * What a step printed, all attempts one after another; of a cached step, what the original printed. With `follow`
   * the stream lasts until the step has ended. @throws `not-found`
   */
  openLog(
    runId: string,
    taskId: string,
    options: { readonly follow: boolean; readonly signal: AbortSignal },
  ): ByteStream;
  /** Resolves when the run has ended; at once when it has already. @throws `not-found` */
  waitForRun(runId: string, signal?: AbortSignal): Promise<Run>;
}
