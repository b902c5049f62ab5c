import type { Measurement } from "../load.ts";
import { quantiles } from "../load.ts";
import { processCpuUs, processMemory } from "../process-stat.ts";
import { type ServerProcess, benchFolder, startServer } from "../server-process.ts";

const STEP_COUNT = 100;
const POLL_MS = 20;
const RUN_MS_MAX = 120_000;

/**
 * What the engine adds to a step: a chain of steps that run `true`, one after another, and the same number side by side.
 * Latency is that of one step, from its recorded start to its recorded end.
 */
export async function pipelineSuite(): Promise<Measurement[]> {
  using folder = benchFolder();
  await using server = await startServer(`${folder.path}/data`, ["--pipelines.cache", "off"]);
  await runOnce(server, "warm", chain(5));
  return [
    await runOnce(server, `pipeline of ${STEP_COUNT} steps in a row`, chain(STEP_COUNT)),
    await runOnce(server, `pipeline of ${STEP_COUNT} steps side by side`, sideBySide(STEP_COUNT)),
  ];
}

interface Graph {
  readonly tasks: readonly {
    readonly kind: string;
    readonly started_at: string | null;
    readonly finished_at: string | null;
  }[];
}

async function runOnce(server: ServerProcess, name: string, spec: unknown): Promise<Measurement> {
  const cpuBeforeUs = processCpuUs(server.pid);
  const startedMs = performance.now();
  const runId = await submit(server, spec);
  const deadlineMs = startedMs + RUN_MS_MAX;
  let state = "PENDING";
  while (state === "PENDING" || state === "RUNNING") {
    if (performance.now() > deadlineMs) throw new Error(`${name}: the run did not end`);
    await Bun.sleep(POLL_MS);
    state = (await call<{ state?: string }>(server, `/apis/v2beta1/runs/${runId}`)).state ?? state;
  }
  const elapsedMs = performance.now() - startedMs;
  if (state !== "SUCCEEDED") throw new Error(`${name}: the run ended ${state}`);
  const graph = await call<Graph>(server, `/apis/kelp/v1/runs/${runId}/graph`);
  const steps = graph.tasks.filter((task) => task.kind === "step");
  const latencies = steps.map(
    (task) => Date.parse(task.finished_at ?? "") - Date.parse(task.started_at ?? ""),
  );
  return {
    name,
    clients: 1,
    operations: steps.length,
    ratePerSec: (steps.length * 1000) / elapsedMs,
    ...quantiles(Float64Array.from(latencies)),
    serverCpuUsPerOperation: (processCpuUs(server.pid) - cpuBeforeUs) / steps.length,
    serverRssBytes: processMemory(server.pid).rssBytes,
  };
}

async function submit(server: ServerProcess, spec: unknown): Promise<string> {
  const run = await call<{ run_id: string }>(server, "/apis/v2beta1/runs", {
    method: "POST",
    body: JSON.stringify({ display_name: "bench", pipeline_spec: spec }),
  });
  return run.run_id;
}

async function call<Answer>(
  server: ServerProcess,
  path: string,
  init: RequestInit = {},
): Promise<Answer> {
  const response = await fetch(`${server.consoleUrl}${path}`, {
    ...init,
    headers: {
      authorization: `Bearer ${server.credentials.consoleToken}`,
      "content-type": "application/json",
    },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: the server answered ${response.status}: ${text}`);
  return JSON.parse(text) as Answer;
}

function chain(count: number): unknown {
  return pipeline(count, (index) => (index === 0 ? [] : [`step-${index - 1}`]));
}

function sideBySide(count: number): unknown {
  return pipeline(count, () => []);
}

function pipeline(count: number, after: (index: number) => string[]): unknown {
  const names = Array.from({ length: count }, (_, index) => `step-${index}`);
  return {
    schemaVersion: "2.1.0",
    sdkVersion: "kfp-2.17.0",
    pipelineInfo: { name: "bench" },
    components: { "comp-step": { executorLabel: "exec-step" } },
    deploymentSpec: {
      executors: { "exec-step": { container: { image: "none", command: ["true"] } } },
    },
    root: {
      dag: {
        tasks: Object.fromEntries(
          names.map((name, index) => [
            name,
            {
              componentRef: { name: "comp-step" },
              taskInfo: { name },
              cachingOptions: {},
              dependentTasks: after(index),
            },
          ]),
        ),
      },
    },
  };
}
