import { utf8 } from "@kelp/base";
import type { Executor, JsonValue, StepLog, StepOutcome, StepRequest } from "../../index.ts";

/** What a step does in place of its command. */
export type StepScript = (
  request: StepRequest,
  log: StepLog,
  signal: AbortSignal,
) => StepOutcome | Promise<StepOutcome>;

/**
 * An executor that runs no process: steps do what the script of their task's name says, and without one print a line
 * and succeed with an empty value for every declared output.
 */
export function scriptedExecutor(scripts: ReadonlyMap<string, StepScript>): Executor {
  return {
    async run(request, log, signal) {
      const script = scripts.get(request.taskName) ?? succeed;
      return script(request, log, signal);
    },
    discard: () => Promise.resolve(),
    workspacePath: (runId) => `/workspaces/${runId}`,
    downloadToWorkspace: () => Promise.resolve(),
    forgetRun: () => Promise.resolve(),
  };
}

export const succeed: StepScript = (request, log) => {
  log.write(utf8(`${request.taskName} ran\n`));
  const parameters = Object.entries(request.outputs.parameters).map(
    ([name, type]) => [name, emptyValue(type)] as const,
  );
  const artifacts = Object.entries(request.outputs.artifacts).map(
    ([name, artifact]) => [name, [artifact]] as const,
  );
  return {
    kind: "succeeded",
    parameters: Object.fromEntries(parameters),
    artifacts: Object.fromEntries(artifacts),
  };
};

export const fail: StepScript = (_request, log) => {
  log.write(utf8("about to fail\n"));
  return { kind: "failed", message: "The step ended with exit code 1" };
};

/** Goes on until it is told to stop. */
export const runUntilAborted: StepScript = async (request, log, signal) => {
  log.write(utf8(`${request.taskName} waits\n`));
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return { kind: "canceled" };
};

function emptyValue(type: string): JsonValue {
  switch (type) {
    case "NUMBER_INTEGER":
    case "NUMBER_DOUBLE":
      return 0;
    case "BOOLEAN":
      return false;
    case "LIST":
      return [];
    case "STRUCT":
      return {};
    default:
      return "";
  }
}
