import type { JsonObject, JsonValue } from "../spec/json.ts";
import type {
  Executor,
  StepAddress,
  StepLog,
  StepOutcome,
  StepRequest,
} from "../executor/executor.ts";

/** What a scripted step does: its output parameters, or a failure. Absent: succeeds and gives nothing. */
export type StepScript = (
  request: StepRequest,
  context: { readonly log: StepLog; readonly signal: AbortSignal },
) => StepResult | Promise<StepResult>;

export interface StepResult {
  /** Output parameters. */
  readonly [output: string]: JsonValue | undefined;
  /** Fails the step with this message. */
  readonly fail?: string;
}

/** Carries out steps by calling functions, by task name: for tests of the engine alone. */
export class ScriptedExecutor implements Executor {
  readonly requests: StepRequest[] = [];
  readonly discarded: StepAddress[] = [];
  /** Highest number of steps that ran at once. */
  runningMax = 0;
  #running = 0;
  readonly #scripts: Readonly<Record<string, StepScript>>;

  constructor(scripts: Readonly<Record<string, StepScript>> = {}) {
    this.#scripts = scripts;
  }

  async run(request: StepRequest, log: StepLog, signal: AbortSignal): Promise<StepOutcome> {
    this.requests.push(request);
    this.#running++;
    this.runningMax = Math.max(this.runningMax, this.#running);
    try {
      const result = (await this.#scripts[request.taskName]?.(request, { log, signal })) ?? {};
      if (signal.aborted) return { kind: "canceled" };
      const { fail, ...outputs } = result;
      if (fail !== undefined) return { kind: "failed", message: fail };
      return {
        kind: "succeeded",
        parameters: definedOnly(outputs),
        artifacts: Object.fromEntries(
          Object.entries(request.outputs.artifacts).map(([name, artifact]) => [name, [artifact]]),
        ),
      };
    } finally {
      this.#running--;
    }
  }

  async discard(step: StepAddress): Promise<void> {
    this.discarded.push(step);
  }

  workspacePath(runId: string): string {
    return `/workspace/${runId}`;
  }

  async downloadToWorkspace(): Promise<void> {
    // Nothing to bring: scripted steps do not read files.
  }

  async forgetRun(): Promise<void> {
    // Nothing is kept.
  }

  /** Requests of one task in order. */
  of(taskName: string): readonly StepRequest[] {
    return this.requests.filter((request) => request.taskName === taskName);
  }
}

function definedOnly(values: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const result: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) result[name] = value;
  }
  return result;
}
