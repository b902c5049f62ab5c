import type { JsonValue } from "../spec/json.ts";
import type {
  Executor,
  StepArtifact,
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

export type StepResult =
  | { readonly [output: string]: JsonValue }
  | { readonly fail: string }
  | { readonly artifacts: Readonly<Record<string, readonly StepArtifact[]>> };

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
      if ("fail" in result) return { kind: "failed", message: String(result.fail) };
      const artifacts = Object.fromEntries(
        Object.entries(request.outputs.artifacts).map(([name, artifact]) => [name, [artifact]]),
      );
      if ("artifacts" in result) {
        const given = result.artifacts as Readonly<Record<string, readonly StepArtifact[]>>;
        return { kind: "succeeded", parameters: {}, artifacts: { ...artifacts, ...given } };
      }
      return { kind: "succeeded", parameters: result, artifacts };
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
