import { type Clock, type ParseYamlDocuments, must } from "@kelp/base";
import type { RunGraphMessage, RunState, RunTaskMessage } from "@kelp/wire/management";
import { ApiError } from "../api/errors.ts";
import { formatTimestamp } from "../api/messages/timestamp.ts";
import { readSpecText } from "../api/upload/package.ts";
import { type ParsedPipeline, PipelinesError, parsePipelineSpec } from "../index.ts";
import { RunClientError } from "./errors.ts";
import { parseParameters } from "./parse-parameters.ts";
import type { PipelinesClient } from "./pipelines-client.ts";
import { TaskDisplay, type DisplayOptions } from "./task-display.ts";
import { printable } from "./render-task-table.ts";

export interface RunFileDeps {
  readonly client: PipelinesClient;
  readonly clock: Clock;
  readonly parseYaml: ParseYamlDocuments;
  readonly display: DisplayOptions;
  /** Ends the following, not the run. */
  readonly signal?: AbortSignal;
}

export interface RunFileRequest {
  /** Content of the compiled pipeline, YAML or JSON. */
  readonly specText: string;
  /** `name=value` texts. */
  readonly parameters: readonly string[];
  /** Default: the pipeline's name and the time. */
  readonly runName?: string;
  readonly experimentId?: string;
  /** Where the console is, for the link. */
  readonly consoleUrl: string;
}

/** Requests for the graph that may fail in a row before the following is given up: a server may be restarting. */
const FAILURES_MAX = 20;
const POLL_MS_MIN = 150;
const POLL_MS_MAX = 1000;

/**
 * Submits a compiled pipeline, follows it to its end and prints what happens. Returns the exit code: 0 when the run
 * succeeded, 1 when it did not. Throws `RunClientError` when it could not be submitted or the server went away, and the
 * reason of `signal` when that aborts (the run goes on).
 */
export async function runFile(deps: RunFileDeps, request: RunFileRequest): Promise<0 | 1> {
  const { print } = deps.display;
  const parsed = readSpec(request.specText, deps.parseYaml);
  const parameters = parseParameters(parsed.spec, request.parameters);
  const startedMs = deps.clock.nowMs();
  const runId = await deps.client.createRun(
    {
      display_name: request.runName ?? `${parsed.spec.name} ${formatTimestamp(startedMs)}`,
      pipeline_spec: joined(parsed),
      runtime_config: { parameters },
      ...(request.experimentId === undefined ? {} : { experiment_id: request.experimentId }),
    },
    deps.signal,
  );
  print(`Run ${runId}\n${request.consoleUrl}/#/runs/details/${runId}\n`);
  const graph = await follow(deps, runId);
  print(`${ending(graph, request.consoleUrl)}\n`);
  return graph.state === "SUCCEEDED" ? 0 : 1;
}

function readSpec(specText: string, parseYaml: ParseYamlDocuments): ParsedPipeline {
  try {
    return parsePipelineSpec(readSpecText(specText, parseYaml));
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof PipelinesError)) throw error;
    throw new RunClientError("invalid-file", error.message, { cause: error });
  }
}

function joined(parsed: ParsedPipeline): unknown {
  const { specSource, platformSource } = parsed;
  return platformSource === undefined
    ? specSource
    : { pipeline_spec: specSource, platform_spec: platformSource };
}

async function follow(deps: RunFileDeps, runId: string): Promise<RunGraphMessage> {
  const display = new TaskDisplay(deps.display);
  let failures = 0;
  let pollMs = POLL_MS_MIN;
  for (;;) {
    try {
      const graph = await deps.client.getGraph(runId, deps.signal);
      failures = 0;
      display.show(graph, deps.clock.nowMs());
      if (isFinal(graph.state)) return graph;
    } catch (error) {
      deps.signal?.throwIfAborted();
      const isPassing = error instanceof RunClientError && error.code === "unreachable";
      failures += 1;
      if (!isPassing || failures >= FAILURES_MAX) throw error;
    }
    await deps.clock.sleep(pollMs, deps.signal);
    pollMs = Math.min(pollMs * 1.25, POLL_MS_MAX);
  }
}

function isFinal(state: RunState): boolean {
  return state === "SUCCEEDED" || state === "FAILED" || state === "SKIPPED" || state === "CANCELED";
}

/** The result, what failed and why, and where to look further. */
function ending(graph: RunGraphMessage, consoleUrl: string): string {
  const lines = [`Run ${graph.state}`];
  const culprits = graph.tasks.filter(isCulprit);
  // The run's own error repeats that of its tasks.
  if (graph.error !== null && culprits.length === 0) lines.push(printable(graph.error));
  for (const task of culprits) {
    lines.push("", `${printable(task.display_name)}: ${printable(must(task.error))}`);
    if (task.has_log) {
      const path = `/apis/kelp/v1/runs/${graph.run_id}/tasks/${task.task_id}/log`;
      lines.push(`Whole log: ${consoleUrl}${path}`);
    }
  }
  const root = graph.tasks.find((task) => task.kind === "root");
  for (const [name, value] of Object.entries(root?.outputs.parameters ?? {})) {
    lines.push(`${name} = ${printable(JSON.stringify(value))}`);
  }
  return lines.join("\n");
}

/** Groups fail because of something in them, which says it better. */
function isCulprit(task: RunTaskMessage): boolean {
  return (
    task.state === "FAILED" &&
    task.error !== null &&
    (task.kind === "step" || task.kind === "importer")
  );
}
