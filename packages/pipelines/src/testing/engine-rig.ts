import { type Log, type SqlDatabase, silentLog } from "@kelp/base";
import {
  openDatabase,
  systemClock,
  systemFiles,
  systemHashes,
  systemProcesses,
  systemRandom,
} from "@kelp/base/platform";
import { openLineage, type Lineage } from "@kelp/lineage";
import { createPipelinesEngine } from "../engine/engine.ts";
import type { EngineOptions, PipelinesEngine } from "../engine/pipelines-engine.ts";
import type { Executor } from "../executor/executor.ts";
import {
  SubprocessExecutor,
  type SubprocessOptions,
} from "../executor/subprocess/subprocess-executor.ts";
import type { Run, Task } from "../run/run.ts";
import type { JsonValue } from "../spec/json.ts";
import { parsePipelineSpec } from "../spec/parse-pipeline.ts";
import { MemoryObjectStore } from "./memory-object-store.ts";

/** An engine on real ports with an object store in memory, for tests. */
export interface EngineRig extends AsyncDisposable {
  readonly engine: PipelinesEngine;
  readonly objects: MemoryObjectStore;
  readonly lineage: Lineage;
  readonly database: SqlDatabase;
  /** Starts a run of a specification and waits for its end. */
  run(spec: unknown, parameters?: Readonly<Record<string, JsonValue>>): Promise<FinishedRun>;
}

export interface FinishedRun {
  readonly run: Run;
  readonly tasks: readonly Task[];
  /** The first task of a name that is no iteration. */
  readonly task: (name: string) => Task;
}

export interface EngineRigOptions {
  /** For everything on disk. */
  readonly folder: string;
  /** Default: subprocesses. */
  readonly executor?: Executor;
  readonly subprocess?: Partial<SubprocessOptions>;
  readonly engine?: Partial<EngineOptions>;
  readonly database?: SqlDatabase;
  readonly objects?: MemoryObjectStore;
  readonly log?: Log;
}

export function createEngineRig(options: EngineRigOptions): EngineRig {
  const { folder } = options;
  const database = options.database ?? openDatabase(":memory:");
  const objects = options.objects ?? new MemoryObjectStore();
  const lineage = openLineage(database);
  const log = options.log ?? silentLog;
  const ports = { objects, hashes: systemHashes, clock: systemClock, files: systemFiles, log };
  const executor =
    options.executor ??
    new SubprocessExecutor(
      { ...ports, processes: systemProcesses },
      { workFolder: `${folder}/work`, environment: process.env, ...options.subprocess },
    );
  const engine = createPipelinesEngine(
    { ...ports, database, lineage, executor, random: systemRandom },
    { parallelism: 2, logFolder: `${folder}/logs`, ...options.engine },
  );
  return {
    engine,
    objects,
    lineage,
    database,
    async run(value, parameters = {}) {
      const { spec, specSource, platformSource } = parsePipelineSpec(value);
      const { runId } = engine.createRun({
        displayName: spec.name,
        experimentId: "default",
        spec,
        specSource,
        platformSpec: platformSource,
        parameters,
      });
      const run = await engine.waitForRun(runId);
      return finished(run, engine.getTasks(runId));
    },
    async [Symbol.asyncDispose]() {
      await engine.stop();
      if (options.database === undefined) database[Symbol.dispose]();
    },
  };
}

function finished(run: Run, tasks: readonly Task[]): FinishedRun {
  return {
    run,
    tasks,
    task(name) {
      const found = tasks.find((task) => task.name === name && task.kind !== "iteration");
      if (found === undefined) throw new Error(`there is no task ${name}`);
      return found;
    },
  };
}
