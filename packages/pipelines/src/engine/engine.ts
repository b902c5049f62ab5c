import { type ByteStream, must } from "@kelp/base";
import { CacheStore } from "../cache/cache-store.ts";
import { PipelinesError } from "../errors.ts";
import { resolveRunParameters } from "../run/parameters.ts";
import type { JobValues } from "../run/placeholders.ts";
import { type NewRun, type Run, type Task, isFinished, runInState } from "../run/run.ts";
import { RunStore } from "../run/run-store.ts";
import { cleanRoot, parseObjectUri } from "../run/uri.ts";
import { newRunRow, parseStoredSpec } from "../run/stored-run.ts";
import { StepLogs } from "../step-log/step-logs.ts";
import { ActiveRun } from "./active-run.ts";
import { Background } from "./background.ts";
import { jobValues } from "./job-values.ts";
import {
  DEFAULT_PIPELINE_ROOT,
  type EngineDeps,
  type EngineOptions,
  type PipelinesEngine,
  RUNS_ACTIVE_MAX,
} from "./pipelines-engine.ts";
import { resetFailed } from "./reset-failed.ts";
import { RunWalk } from "./run-walk.ts";
import { RunWaiters } from "./run-waiters.ts";
import { StepQueue } from "./step-queue.ts";
import { type AttemptResult, StepRunner } from "./step-runner.ts";
import type { TaskNode } from "./task-node.ts";
import { openTaskLog } from "./task-log.ts";

const TERMINATED = "The run was terminated on request";

/** Builds the engine on its ports; tables are created. The database and the other ports stay the caller's. */
export function createPipelinesEngine(deps: EngineDeps, options: EngineOptions): PipelinesEngine {
  return new Engine(deps, options);
}

interface QueuedStep {
  readonly active: ActiveRun;
  readonly node: TaskNode;
}

class Engine implements PipelinesEngine {
  readonly #deps: EngineDeps;
  readonly #options: EngineOptions;
  /** Where artifacts go when neither run nor specification says. */
  readonly #root: string;
  readonly #store: RunStore;
  readonly #cache: CacheStore;
  readonly #logs: StepLogs;
  readonly #runner: StepRunner;
  readonly #active = new Map<string, ActiveRun>();
  readonly #queue = new StepQueue<QueuedStep>();
  /** Everything in flight, awaited by `stop`. */
  readonly #background: Background;
  readonly #waiters = new RunWaiters();
  #running = 0;
  #state: "open" | "draining" | "stopped" = "open";
  #hasBucket = false;

  constructor(deps: EngineDeps, options: EngineOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#background = new Background(deps.log);
    this.#store = new RunStore(deps.database);
    this.#cache = new CacheStore(deps.database);
    this.#root = cleanRoot(options.pipelineRoot ?? DEFAULT_PIPELINE_ROOT);
    this.#logs = new StepLogs({
      files: deps.files,
      objects: deps.objects,
      log: deps.log,
      folder: options.logFolder,
      address: ({ runId, taskId, attempt }) => ({
        bucket: parseObjectUri(this.#root)?.bucket ?? "mlpipeline",
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
    const parameters = resolveRunParameters(request.spec.root, request.parameters);
    const row = newRunRow(request, parameters, {
      runId: this.#deps.random.uuid(),
      nowMs: this.#deps.clock.nowMs(),
    });
    const run = this.#store.database.transaction(() => this.#store.insertRun(row));
    // Started in a later turn, so that the caller sees the run as it was created.
    this.#admitLater();
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
    const active = this.#active.get(runId) ?? this.#activate(run);
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
    const { spec } = parseStoredSpec(run);
    const reopened = this.#store.database.transaction(() =>
      resetFailed(this.#store, run, spec, this.#deps.clock.nowMs()),
    );
    this.#admitLater();
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
    this.#background.own(this.#deps.executor.forgetRun(runId));
    this.#waiters.notify(runId);
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
        changed: (signal) => this.#waiters.changed(runId, signal),
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
      await this.#waiters.changed(runId, signal);
    }
  }

  /** Starts no more steps and kills running ones without giving them an end: a later `resume` starts them again. */
  async drain(signal: AbortSignal): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "draining";
    for (const active of this.#active.values()) this.#dismiss(active);
    await this.#background.settled(signal);
  }

  async stop(): Promise<void> {
    await this.drain(AbortSignal.timeout(STOP_TIMEOUT_MS));
    this.#state = "stopped";
    this.#waiters.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #admitLater(): void {
    this.#background.own(Promise.resolve().then(() => this.#admit()));
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
      this.#activate(run);
    } catch (error) {
      if (!(error instanceof PipelinesError)) throw error;
      this.#store.updateRun(runInState(run, "FAILED", this.#deps.clock.nowMs(), error.message));
    }
  }

  #activate(run: Run): ActiveRun {
    const deps = { ...this.#deps, store: this.#store, jobValues: this.#jobValues.bind(this) };
    const { spec } = parseStoredSpec(run);
    const walk = new RunWalk(deps, run, spec);
    const active = new ActiveRun(walk, this.#deps.clock);
    this.#active.set(run.runId, active);
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
    active.schedule(Math.max(0, leftMs), () => {
      this.#cancelActive(active, `The run took longer than ${spec.platform.runTimeoutMs / 1000} s`);
    });
  }

  #cancelActive(active: ActiveRun, message = TERMINATED): void {
    if (active.walk.isFinished) return;
    active.walk.requestCancel();
    this.#queue.drop(active.walk.run.runId);
    active.cancelTimers();
    active.abort.abort();
    this.#background.own(this.#finishCancel(active, message));
  }

  /** Ends the run once its steps are gone. */
  async #finishCancel(active: ActiveRun, message: string): Promise<void> {
    const { runId } = active.walk.run;
    while (active.running > 0) await this.#waiters.changed(runId);
    if (this.#active.get(runId) !== active) return;
    active.walk.cancel(message);
    this.#afterChange(active);
  }

  /** Forgets a run in memory without ending it. */
  #dismiss(active: ActiveRun): void {
    const { runId } = active.walk.run;
    this.#active.delete(runId);
    this.#queue.drop(runId);
    active.cancelTimers();
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
      this.#background.own(this.#runStep(step));
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
    this.#waiters.notify(runId);
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
    active.schedule(delayMs, () => {
      this.#enqueue(active, [node]);
      this.#pump();
    });
  }

  #afterChange(active: ActiveRun): void {
    const { run } = active.walk;
    if (active.walk.isFinished) {
      active.cancelTimers();
      this.#active.delete(run.runId);
      // A failed run can be retried, and the steps that are kept have written into its workspace.
      const mayReturn = run.state === "FAILED" && active.walk.spec.platform.hasWorkspace;
      if (!mayReturn) this.#background.own(this.#deps.executor.forgetRun(run.runId));
      this.#admit();
    }
    this.#waiters.notify(run.runId);
    this.#pump();
  }

  async #createBucket(): Promise<void> {
    const address = parseObjectUri(this.#root);
    if (address !== undefined) {
      const { objects } = this.#deps;
      await objects.createBucket(address.bucket, this.#options.bucketOwner ?? "pipelines");
    }
    this.#hasBucket = true;
  }

  #jobValues(run: Run, row: Task): JobValues {
    const ofSpec = this.#active.get(run.runId)?.walk.spec.defaultPipelineRoot;
    const root = run.pipelineRoot ?? (ofSpec === "" ? undefined : ofSpec) ?? this.#root;
    return jobValues(run, row, root, this.#deps.executor.workspacePath(run.runId));
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
