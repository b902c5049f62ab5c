import type { Clock, Hashes, Log, Random } from "@kelp/base";
import type { Lineage } from "@kelp/lineage";
import type { ObjectStore } from "@kelp/wire";
import type { CacheEntry, CacheKey, CacheStore } from "../cache/cache-store.ts";
import { fingerprint } from "../cache/fingerprint.ts";
import { TaskError } from "../errors.ts";
import type { Executor, StepOutcome } from "../executor/executor.ts";
import type { JobValues } from "../run/placeholders.ts";
import type { Run, Task, TaskArtifact } from "../run/run.ts";
import type { RunStore } from "../run/run-store.ts";
import { parseObjectUri } from "../run/uri.ts";
import type { ContainerSpec, PipelineSpec } from "../spec/model.ts";
import type { StepLogs } from "../step-log/step-logs.ts";
import { type PlatformSettings, type Secrets, platformSettings } from "./platform-settings.ts";
import { runImporter } from "./run-importer.ts";
import type { RunWalk, TaskResult } from "./run-walk.ts";
import {
  CREATE_CLAIM_IMAGE,
  DELETE_CLAIM_IMAGE,
  claimOutputs,
  stepRequest,
} from "./step-request.ts";
import { type TaskNode, executorLabel, executorOf } from "./task-node.ts";

export interface StepRunnerDeps {
  readonly store: RunStore;
  readonly cache: CacheStore;
  readonly lineage: Lineage;
  readonly objects: ObjectStore;
  readonly executor: Executor;
  readonly logs: StepLogs;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
  readonly log: Log;
  readonly secrets: Secrets;
  readonly isCacheEnabled: boolean;
  readonly jobValues: (run: Run, row: Task) => JobValues;
}

/** What came of one attempt of a leaf. */
export type AttemptResult =
  | { readonly kind: "ended"; readonly result: TaskResult; readonly cacheKey?: CacheKey }
  | { readonly kind: "failed"; readonly error: string };

/** Carries out one attempt of a leaf: cache, importer, or the executor. */
export class StepRunner {
  readonly #deps: StepRunnerDeps;

  constructor(deps: StepRunnerDeps) {
    this.#deps = deps;
  }

  async run(walk: RunWalk, node: TaskNode, signal: AbortSignal): Promise<AttemptResult> {
    // The run may have been deleted or stopped while the step waited for its turn.
    if (signal.aborted) return { kind: "ended", result: { kind: "canceled" } };
    const executor = executorOf(node, walk.spec);
    const job = this.#deps.jobValues(walk.run, node.row);
    try {
      if (executor.kind === "importer") {
        walk.stepStarted(node, {});
        const { lineage, objects, clock } = this.#deps;
        const deps = {
          lineage,
          objects,
          executor: this.#deps.executor,
          nowMs: () => clock.nowMs(),
        };
        const result = await runImporter(deps, node, executor, job, signal);
        return { kind: "ended", result };
      }
      return await this.#runContainer(walk, node, executor, job, signal);
    } catch (error) {
      if (error instanceof TaskError) return { kind: "failed", error: error.message };
      throw error;
    }
  }

  async #runContainer(
    walk: RunWalk,
    node: TaskNode,
    container: ContainerSpec,
    job: JobValues,
    signal: AbortSignal,
  ): Promise<AttemptResult> {
    if (container.image === CREATE_CLAIM_IMAGE || container.image === DELETE_CLAIM_IMAGE) {
      walk.stepStarted(node, {});
      const outputs = { parameters: claimOutputs(node, job), artifacts: {} };
      return { kind: "ended", result: { kind: "succeeded", outputs } };
    }
    const key = this.#cacheKey(walk, node, container);
    const hit = key === undefined ? undefined : await this.#findCached(key);
    if (key !== undefined && hit !== undefined) return cachedResult(key, hit);
    const platform = walk.spec.platform.executors.get(executorLabel(node)) ?? {};
    const settings = platformSettings(node, platform, this.#deps.secrets);
    if (signal.aborted) return { kind: "ended", result: { kind: "canceled" } };
    const outcome = await this.#execute(walk, node, { container, settings, job, key }, signal);
    return this.#settle(walk, outcome, key);
  }

  async #execute(
    walk: RunWalk,
    node: TaskNode,
    step: {
      container: ContainerSpec;
      settings: PlatformSettings;
      job: JobValues;
      key: CacheKey | undefined;
    },
    signal: AbortSignal,
  ): Promise<StepOutcome> {
    const { logs, executor, random } = this.#deps;
    const { container, settings, job } = step;
    const attemptId = random.uuid();
    const request = stepRequest({ node, spec: walk.spec, container, settings, job, attemptId });
    walk.stepStarted(node, { fingerprint: step.key?.fingerprint });
    const attempt = { runId: node.row.runId, taskId: node.row.taskId, attempt: node.row.attempt };
    const live = await logs.open(attempt);
    try {
      for (const note of settings.notes) live.note(note);
      if (container.resources !== undefined) {
        live.note("resource requests and limits do not apply here and are ignored");
      }
      return await executor.run(request, live, signal);
    } finally {
      await logs.close(attempt, live);
    }
  }

  #settle(walk: RunWalk, outcome: StepOutcome, cacheKey: CacheKey | undefined): AttemptResult {
    if (outcome.kind === "failed") return { kind: "failed", error: outcome.message };
    if (outcome.kind === "canceled") return { kind: "ended", result: { kind: "canceled" } };
    const artifacts: Record<string, readonly TaskArtifact[]> = {};
    const createdMs = this.#deps.clock.nowMs();
    this.#deps.store.database.transaction(() => {
      for (const [name, list] of Object.entries(outcome.artifacts)) {
        artifacts[name] = list.map((artifact) => ({
          ...artifact,
          artifactId: this.#deps.lineage.recordArtifact({
            ...artifact,
            createdMs,
            runId: walk.run.runId,
          }),
        }));
      }
    });
    const outputs = { parameters: outcome.parameters, artifacts };
    const result: TaskResult = { kind: "succeeded", outputs };
    return cacheKey === undefined ? { kind: "ended", result } : { kind: "ended", result, cacheKey };
  }

  #cacheKey(walk: RunWalk, node: TaskNode, container: ContainerSpec): CacheKey | undefined {
    if (!this.#deps.isCacheEnabled || node.spec?.isCacheEnabled !== true) return undefined;
    const parts = {
      component: node.component,
      container,
      inputs: node.row.inputs,
      platform: platformOf(walk.spec, node),
      cacheKey: node.spec.cacheKey,
    };
    return {
      pipelineName: walk.spec.name,
      namespace: walk.run.namespace,
      fingerprint: fingerprint(parts, this.#deps.hashes),
    };
  }

  /** An entry whose artifacts are all still there. */
  async #findCached(key: CacheKey): Promise<CacheEntry | undefined> {
    const entry = this.#deps.cache.find(key);
    if (entry === undefined) return undefined;
    for (const artifact of Object.values(entry.outputs.artifacts).flat()) {
      if (!(await this.#exists(artifact.uri))) return undefined;
    }
    return entry;
  }

  async #exists(uri: string): Promise<boolean> {
    const address = parseObjectUri(uri);
    // What is not in this store was never ours to keep; the step only named it.
    if (address === undefined) return true;
    const { objects } = this.#deps;
    if ((await objects.getBucket(address.bucket)) === undefined) return false;
    if ((await objects.headObject(address.bucket, address.key)) !== undefined) return true;
    const page = await objects.listObjects(address.bucket, { prefix: `${address.key}/`, limit: 1 });
    return page.items.length > 0;
  }
}

function cachedResult(key: CacheKey, hit: CacheEntry): AttemptResult {
  const change = {
    isCached: true,
    fingerprint: key.fingerprint,
    cachedFrom: { runId: hit.runId, taskId: hit.taskId },
  };
  return { kind: "ended", result: { kind: "succeeded", outputs: hit.outputs, change } };
}

function platformOf(
  spec: PipelineSpec,
  node: TaskNode,
): ReturnType<typeof spec.platform.executors.get> {
  return spec.platform.executors.get(executorLabel(node));
}
