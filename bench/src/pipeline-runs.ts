import { processCpuUs, processMemory } from "./process-stat.ts";
import type { Measurement } from "./load.ts";
import { quantiles } from "./load.ts";
import type { ServerProcess } from "./server-process.ts";

const POLL_MS = 10;
const RUN_MS_MAX = 120_000;

interface Graph {
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly tasks: readonly {
    readonly kind: string;
    readonly started_at: string | null;
    readonly finished_at: string | null;
  }[];
}

/** One run with many steps; the latency is that of one step, from its recorded start to its recorded end. */
export async function measureSteps(
  server: ServerProcess,
  name: string,
  spec: unknown,
): Promise<Measurement> {
  const cpuBeforeUs = processCpuUs(server.pid);
  const startedMs = performance.now();
  const graph = await runToEnd(server, spec, {});
  const elapsedMs = performance.now() - startedMs;
  const steps = graph.tasks.filter((task) => task.kind === "step");
  return measurement(server, name, {
    latencies: steps.map((task) => spanMs(task.started_at, task.finished_at)),
    elapsedMs,
    cpuUs: processCpuUs(server.pid) - cpuBeforeUs,
  });
}

/** Many runs one after another; the latency is that of a run, from its acceptance to its recorded end. */
export async function measureRuns(
  server: ServerProcess,
  name: string,
  options: {
    readonly spec: unknown;
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly count: number;
  },
): Promise<Measurement> {
  const cpuBeforeUs = processCpuUs(server.pid);
  const startedMs = performance.now();
  const latencies: number[] = [];
  for (let count = 0; count < options.count; count++) {
    const graph = await runToEnd(server, options.spec, options.parameters);
    latencies.push(spanMs(graph.created_at, graph.finished_at));
  }
  return measurement(server, name, {
    latencies,
    elapsedMs: performance.now() - startedMs,
    cpuUs: processCpuUs(server.pid) - cpuBeforeUs,
  });
}

function measurement(
  server: ServerProcess,
  name: string,
  seen: {
    readonly latencies: readonly number[];
    readonly elapsedMs: number;
    readonly cpuUs: number;
  },
): Measurement {
  return {
    name,
    clients: 1,
    operations: seen.latencies.length,
    ratePerSec: (seen.latencies.length * 1000) / seen.elapsedMs,
    ...quantiles(Float64Array.from(seen.latencies)),
    serverCpuUsPerOperation: seen.cpuUs / seen.latencies.length,
    serverRssBytes: processMemory(server.pid).rssBytes,
  };
}

function spanMs(from: string | null, to: string | null): number {
  return Date.parse(to ?? "") - Date.parse(from ?? "");
}

async function runToEnd(
  server: ServerProcess,
  spec: unknown,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Graph> {
  const { run_id: runId } = await call<{ run_id: string }>(server, "/apis/v2beta1/runs", {
    method: "POST",
    body: JSON.stringify({
      display_name: "bench",
      pipeline_spec: spec,
      runtime_config: { parameters },
    }),
  });
  const deadlineMs = performance.now() + RUN_MS_MAX;
  let state = "PENDING";
  while (state === "PENDING" || state === "RUNNING") {
    if (performance.now() > deadlineMs) throw new Error("a run did not end");
    await Bun.sleep(POLL_MS);
    state = (await call<{ state?: string }>(server, `/apis/v2beta1/runs/${runId}`)).state ?? state;
  }
  if (state !== "SUCCEEDED") throw new Error(`a run ended ${state}`);
  return call<Graph>(server, `/apis/kelp/v1/runs/${runId}/graph`);
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
