import {
  type ByteStream,
  type Clock,
  type Hashes,
  type LocalFiles,
  type Log,
  type Random,
  type Service,
  type SqlDatabase,
  type Timer,
  must,
} from "@kelp/base";
import type { Lineage } from "@kelp/lineage";
import { type ObjectStore } from "@kelp/wire";
import { CacheStore } from "../cache/cache-store.ts";
import { PipelinesError } from "../errors.ts";
import type { Executor } from "../executor/executor.ts";
import { resolveRunParameters } from "../run/parameters.ts";
import type { JobValues } from "../run/placeholders.ts";
import { type NewRun, type Run, type Task, isFinished } from "../run/run.ts";
import { RunStore } from "../run/run-store.ts";
import { cleanRoot, parseObjectUri } from "../run/uri.ts";
import { parsePipelineSpec } from "../spec/parse-pipeline.ts";
import { StepLogs } from "../step-log/step-logs.ts";
import { jobValues } from "./job-values.ts";
import type { Secrets } from "./platform-settings.ts";
import { resetFailed } from "./reset-failed.ts";
import { RunWalk } from "./run-walk.ts";
import { StepQueue } from "./step-queue.ts";
import { type AttemptResult, StepRunner } from "./step-runner.ts";
import type { TaskNode } from "./task-node.ts";
import { openTaskLog } from "./task-log.ts";

/** Runs walked at once; more wait as PENDING rows. */
export const RUNS_ACTIVE_MAX = 200;
/** Where artifacts go when neither run nor specification says. */
export const DEFAULT_PIPELINE_ROOT = "s3://mlpipeline/v2/artifacts";
const TERMINATED = "The run was terminated on request";

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

/** Builds the engine on its ports; tables are created. The database and the other ports stay the caller's. */
export function createPipelinesEngine(deps: EngineDeps, options: EngineOptions): PipelinesEngine {
  return new Engine(deps, options);
}

interface ActiveRun {
  readonly walk: RunWalk;
  /** Aborts every step of the run. */
  readonly abort: AbortController;
  /** Attempts in flight. */
  running: number;
  readonly timers: Set<Timer>;
}

interface QueuedStep {
  readonly active: ActiveRun;
  readonly node: TaskNode;
}

class Engine implements PipelinesEngine {
  readonly #deps: EngineDeps;
  readonly #options: EngineOptions;
  readonly #store: RunStore;
  readonly #cache: CacheStore;
  readonly #logs: StepLogs;
  readonly #runner: StepRunner;
  readonly #active = new Map<string, ActiveRun>();
  readonly #queue = new StepQueue<QueuedStep>();
  /** Everything in flight, awaited by `stop`. */
  readonly #background = new Set<Promise<void>>();
  readonly #waiters = new Map<string, Set<() => void>>();
  #running = 0;
  #state: "open" | "draining" | "stopped" = "open";
  #hasBucket = false;

  constructor(deps: EngineDeps, options: EngineOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#store = new RunStore(deps.database);
    this.#cache = new CacheStore(deps.database);
    const root = cleanRoot(options.pipelineRoot ?? DEFAULT_PIPELINE_ROOT);
    this.#logs = new StepLogs({
      files: deps.files,
      objects: deps.objects,
      log: deps.log,
      folder: options.logFolder,
      address: ({ runId, taskId, attempt }) => ({
        bucket: parseObjectUri(root)?.bucket ?? "mlpipeline",
        key: `v2/logs/${runId}/${taskId}/${attempt}.log`,
      }),
    });
    this.#runner = new StepRunner({
      ...deps,
      store: this.#store,
      cache: this.#cache,
      logs: this.#logs,
      secrets: options.secrets ?? new Map(),
      isCacheEnabled: options.isCacheEnabled ?? true,
      jobValues: (run, row) => this.#jobValues(run, row),
    });
  }

  async resume(): Promise<void> {
    for (const runId of this.#store.unfinishedRunIds()) {
      for (const task of this.#store.getTasks(runId)) {
        if (task.kind !== "step" || task.state !== "RUNNING") continue;
        await this.#deps.executor.discard({ runId, taskId: task.taskId, taskName: task.name });
      }
    }
    this.#admit();
  }

  createRun(request: NewRun): Run {
    this.#refuseUnlessOpen();
    if (request.displayName === "") {
      throw new PipelinesError("invalid-argument", "The run has no name");
    }
    const { spec, pipelineReference: reference } = request;
    const parameters = resolveRunParameters(spec.root, request.parameters);
    const nowMs = this.#deps.clock.nowMs();
    const { platformSpec } = request;
    const run = this.#store.database.transaction(() =>
      this.#store.insertRun({
        runId: this.#deps.random.uuid(),
        experimentId: request.experimentId,
        displayName: request.displayName,
        description: request.description ?? "",
        namespace: request.namespace ?? "",
        storageState: "AVAILABLE",
        state: "PENDING",
        createdMs: nowMs,
        scheduledMs: request.scheduledMs ?? nowMs,
        finishedMs: 0,
        pipelineId: reference?.pipelineId ?? "",
        pipelineVersionId: reference?.pipelineVersionId ?? "",
        recurringRunId: request.recurringRunId ?? "",
        serviceAccount: request.serviceAccount ?? "",
        pipelineName: spec.name,
        specJson: JSON.stringify(request.specSource),
        platformSpecJson: platformSpec === undefined ? undefined : JSON.stringify(platformSpec),
        parameters,
        pipelineRoot: request.pipelineRoot === "" ? undefined : request.pipelineRoot,
        error: undefined,
        stateHistory: [{ state: "PENDING", atMs: nowMs }],
      }),
    );
    // Started in a later turn, so that the caller sees the run as it was created.
    queueMicrotask(() => this.#admit());
    return run;
  }

  getRun(runId: string): Run | undefined {
    return this.#store.getRun(runId);
  }

  getTasks(runId: string): readonly Task[] {
    return this.#store.getTasks(runId);
  }

  getTask(runId: string, taskId: string): Task | undefined {
    return this.#store.getTask(runId, taskId);
  }

  terminateRun(runId: string): void {
    const run = this.#mustFind(runId);
    if (isFinished(run.state) || run.state === "CANCELING") return;
    const active = this.#active.get(runId) ?? this.#activate(run, "keep-pending");
    this.#cancelActive(active);
  }

  retryRun(runId: string): Run {
    this.#refuseUnlessOpen();
    const run = this.#mustFind(runId);
    if (run.state !== "FAILED") {
      throw new PipelinesError(
        "failed-precondition",
        `Only a failed run can be retried; this one is ${run.state}`,
      );
    }
    const { spec } = parseRun(run);
    const reopened = this.#store.database.transaction(() =>
      resetFailed(this.#store, run, spec, this.#deps.clock.nowMs()),
    );
    queueMicrotask(() => this.#admit());
    return reopened;
  }

  deleteRun(runId: string): void {
    this.#mustFind(runId);
    const active = this.#active.get(runId);
    if (active !== undefined) this.#dismiss(active);
    this.#store.database.transaction(() => {
      this.#deps.lineage.forgetRun(runId);
      this.#store.deleteRun(runId);
    });
    this.#inBackground(this.#deps.executor.forgetRun(runId));
    this.#notify(runId);
    this.#admit();
  }

  archiveRun(runId: string): void {
    this.#mustFind(runId);
    this.#store.setStorageState(runId, "ARCHIVED");
  }

  unarchiveRun(runId: string): void {
    this.#mustFind(runId);
    this.#store.setStorageState(runId, "AVAILABLE");
  }

  openLog(
    runId: string,
    taskId: string,
    options: { readonly follow: boolean; readonly signal: AbortSignal },
  ): ByteStream {
    const task = this.#store.getTask(runId, taskId);
    if (task === undefined)
      throw new PipelinesError("not-found", `There is no task ${taskId} in run ${runId}`);
    return openTaskLog(
      {
        logs: this.#logs,
        getTask: () => this.#store.getTask(runId, taskId),
        changed: (signal) => this.#changed(runId, signal),
      },
      task,
      options,
    );
  }

  async waitForRun(runId: string, signal?: AbortSignal): Promise<Run> {
    for (;;) {
      const run = this.#mustFind(runId);
      if (isFinished(run.state)) return run;
      signal?.throwIfAborted();
      await this.#changed(runId, signal);
    }
  }

  /** Starts no more steps and kills running ones without giving them an end: a later `resume` starts them again. */
  async drain(_signal: AbortSignal): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "draining";
    for (const active of this.#active.values()) this.#dismiss(active);
    while (this.#background.size > 0) await Promise.allSettled(this.#background);
  }

  async stop(): Promise<void> {
    await this.drain(AbortSignal.timeout(STOP_TIMEOUT_MS));
    this.#state = "stopped";
    for (const runId of this.#waiters.keys()) this.#notify(runId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Takes PENDING and left-over runs into memory while there is room. */
  #admit(): void {
    if (this.#state !== "open" || this.#active.size >= RUNS_ACTIVE_MAX) return;
    for (const runId of this.#store.unfinishedRunIds()) {
      if (this.#active.size >= RUNS_ACTIVE_MAX) break;
      if (this.#active.has(runId)) continue;
      const run = this.#store.getRun(runId);
      if (run !== undefined) this.#startRun(run);
    }
    this.#pump();
  }

  /** A run that cannot even be taken up, because its stored specification is refused now, ends FAILED. */
  #startRun(run: Run): void {
    try {
      this.#activate(run, "start");
    } catch (error) {
      if (!(error instanceof PipelinesError)) throw error;
      const change = {
        state: "FAILED",
        atMs: this.#deps.clock.nowMs(),
        error: error.message,
      } as const;
      const stateHistory = [...run.stateHistory, change];
      const { state, atMs: finishedMs } = change;
      this.#store.updateRun({ ...run, state, finishedMs, error: error.message, stateHistory });
    }
  }

  #activate(run: Run, mode: "start" | "keep-pending"): ActiveRun {
    const deps = { ...this.#deps, store: this.#store, jobValues: this.#jobValues.bind(this) };
    const { spec } = parseRun(run);
    const walk = new RunWalk(deps, run, spec);
    const active: ActiveRun = { walk, abort: new AbortController(), running: 0, timers: new Set() };
    this.#active.set(run.runId, active);
    if (mode === "keep-pending") return active;
    const ready = walk.restore(this.#store.getTasks(run.runId));
    if (run.state === "CANCELING") this.#cancelActive(active);
    else {
      this.#enqueue(active, ready);
      this.#armDeadline(active);
      this.#afterChange(active);
    }
    return active;
  }

  #armDeadline(active: ActiveRun): void {
    const { run, spec } = active.walk;
    if (spec.platform.runTimeoutMs === 0 || active.walk.isFinished) return;
    const startedMs = run.stateHistory.findLast((change) => change.state === "RUNNING")?.atMs;
    const leftMs =
      (startedMs ?? run.createdMs) + spec.platform.runTimeoutMs - this.#deps.clock.nowMs();
    this.#schedule(active, Math.max(0, leftMs), () => {
      this.#cancelActive(active, `The run took longer than ${spec.platform.runTimeoutMs / 1000} s`);
    });
  }

  #cancelActive(active: ActiveRun, message = TERMINATED): void {
    if (active.walk.isFinished) return;
    active.walk.requestCancel();
    this.#queue.drop(active.walk.run.runId);
    this.#cancelTimers(active);
    active.abort.abort();
    this.#inBackground(this.#finishCancel(active, message));
  }

  /** Ends the run once its steps are gone. */
  async #finishCancel(active: ActiveRun, message: string): Promise<void> {
    const { runId } = active.walk.run;
    while (active.running > 0) await this.#changed(runId);
    if (this.#active.get(runId) !== active) return;
    active.walk.cancel(message);
    this.#afterChange(active);
  }

  /** Forgets a run in memory without ending it. */
  #dismiss(active: ActiveRun): void {
    const { runId } = active.walk.run;
    this.#active.delete(runId);
    this.#queue.drop(runId);
    this.#cancelTimers(active);
    active.abort.abort();
  }

  #enqueue(active: ActiveRun, nodes: readonly TaskNode[]): void {
    for (const node of nodes) this.#queue.push(active.walk.run.runId, { active, node });
  }

  /** Starts queued steps while there are free places. */
  #pump(): void {
    while (this.#state === "open" && this.#running < this.#options.parallelism) {
      const step = this.#queue.take();
      if (step === undefined) return;
      this.#running++;
      step.active.running++;
      this.#inBackground(this.#runStep(step));
    }
  }

  async #runStep({ active, node }: QueuedStep): Promise<void> {
    const { runId } = active.walk.run;
    let result: AttemptResult;
    try {
      if (!this.#hasBucket) await this.#createBucket();
      result = await this.#runner.run(active.walk, node, active.abort.signal);
    } catch (error) {
      this.#deps.log.error("a step could not be carried out", {
        run_id: runId,
        task: node.row.name,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      const reason = error instanceof Error ? error.message : String(error);
      result = { kind: "failed", error: `The step could not be carried out: ${reason}` };
    } finally {
      this.#running--;
      active.running--;
    }
    // While the step ran, the run may have been deleted or the engine drained.
    if (this.#active.get(runId) === active) this.#settle(active, node, result);
    this.#notify(runId);
    this.#pump();
  }

  #settle(active: ActiveRun, node: TaskNode, attempt: AttemptResult): void {
    if (active.abort.signal.aborted) return;
    if (attempt.kind === "failed") {
      const plan = node.retry;
      if (plan !== undefined && node.row.attempt < plan.attemptsMax && node.row.attempt > 0) {
        this.#retryLater(active, node, attempt.error);
        return;
      }
      this.#enqueue(active, active.walk.complete(node, { kind: "failed", error: attempt.error }));
    } else {
      const { result, cacheKey } = attempt;
      this.#store.database.transaction(() => {
        this.#enqueue(active, active.walk.complete(node, result));
        if (cacheKey === undefined || result.kind !== "succeeded") return;
        const { runId, taskId } = node.row;
        const entry = { runId, taskId, outputs: result.outputs };
        this.#cache.add(cacheKey, entry, this.#deps.clock.nowMs());
      });
    }
    this.#afterChange(active);
  }

  #retryLater(active: ActiveRun, node: TaskNode, error: string): void {
    const plan = must(node.retry);
    active.walk.stepWillRetry(node, error);
    const factor = plan.backoffFactor ** (node.row.attempt - 1);
    const delayMs = Math.min(plan.backoffMs * factor, plan.backoffMsMax);
    this.#schedule(active, delayMs, () => {
      this.#enqueue(active, [node]);
      this.#pump();
    });
  }

  #schedule(active: ActiveRun, delayMs: number, run: () => void): void {
    // Timers of the platform hold 31 bits of milliseconds; longer waits are taken in pieces.
    const pieceMs = Math.min(delayMs, TIMER_MS_MAX);
    const timer = this.#deps.clock.schedule(pieceMs, () => {
      active.timers.delete(timer);
      if (pieceMs < delayMs) this.#schedule(active, delayMs - pieceMs, run);
      else run();
    });
    active.timers.add(timer);
  }

  #cancelTimers(active: ActiveRun): void {
    for (const timer of active.timers) timer.cancel();
    active.timers.clear();
  }

  #afterChange(active: ActiveRun): void {
    const { run } = active.walk;
    if (active.walk.isFinished) {
      this.#cancelTimers(active);
      this.#active.delete(run.runId);
      this.#inBackground(this.#deps.executor.forgetRun(run.runId));
      this.#admit();
    }
    this.#notify(run.runId);
    this.#pump();
  }

  /** Resolves at the next change of a run. */
  #changed(runId: string, signal?: AbortSignal): Promise<void> {
    if (this.#state === "stopped" || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiters.get(runId) ?? new Set();
      this.#waiters.set(runId, waiting);
      const done = (): void => {
        waiting.delete(done);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      waiting.add(done);
      signal?.addEventListener("abort", done, { once: true });
    });
  }

  #notify(runId: string): void {
    const waiting = this.#waiters.get(runId);
    this.#waiters.delete(runId);
    for (const wake of waiting ?? []) wake();
  }

  #inBackground(work: Promise<void>): void {
    const owned = work
      .catch((error: unknown) => {
        this.#deps.log.error("background work failed", { error: String(error) });
      })
      .finally(() => this.#background.delete(owned));
    this.#background.add(owned);
  }

  async #createBucket(): Promise<void> {
    const address = parseObjectUri(this.#options.pipelineRoot ?? DEFAULT_PIPELINE_ROOT);
    if (address !== undefined) {
      const { objects } = this.#deps;
      await objects.createBucket(address.bucket, this.#options.bucketOwner ?? "pipelines");
    }
    this.#hasBucket = true;
  }

  #jobValues(run: Run, row: Task): JobValues {
    const root = run.pipelineRoot ?? this.#specRoot(run) ?? this.#options.pipelineRoot;
    const workspace = this.#deps.executor.workspacePath(run.runId);
    return jobValues(run, row, root ?? DEFAULT_PIPELINE_ROOT, workspace);
  }

  #specRoot(run: Run): string | undefined {
    const root = this.#active.get(run.runId)?.walk.spec.defaultPipelineRoot;
    return root === "" ? undefined : root;
  }

  #mustFind(runId: string): Run {
    const run = this.#store.getRun(runId);
    if (run === undefined) throw new PipelinesError("not-found", `There is no run ${runId}`);
    return run;
  }

  #refuseUnlessOpen(): void {
    if (this.#state !== "open") {
      throw new PipelinesError("unavailable", "The pipelines engine is stopping");
    }
  }
}

const STOP_TIMEOUT_MS = 8000;
const TIMER_MS_MAX = 2 ** 31 - 1;

function parseRun(run: Run): ReturnType<typeof parsePipelineSpec> {
  const specSource: unknown = JSON.parse(run.specJson);
  if (run.platformSpecJson === undefined) return parsePipelineSpec(specSource);
  const platformSpec: unknown = JSON.parse(run.platformSpecJson);
  return parsePipelineSpec({ pipeline_spec: specSource, platform_spec: platformSpec });
}
