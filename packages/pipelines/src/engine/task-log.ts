import type { ByteStream } from "@kelp/base";
import { utf8 } from "@kelp/base";
import { type Task, isFinished } from "../run/run.ts";
import { LOG_ATTEMPTS_MAX, type StepLogs } from "../step-log/step-logs.ts";

export interface TaskLogDeps {
  readonly logs: StepLogs;
  readonly getTask: () => Task | undefined;
  readonly changed: (signal: AbortSignal) => Promise<void>;
}

/** The logs of all attempts of a task in order; with `follow`, until the task has ended. */
export async function* openTaskLog(
  deps: TaskLogDeps,
  task: Task,
  options: { readonly follow: boolean; readonly signal: AbortSignal },
): ByteStream {
  let next = 1;
  for (let row: Task | undefined = task; row !== undefined; row = deps.getTask()) {
    const source = row.cachedFrom;
    if (source !== undefined) {
      yield utf8(
        "[kelp] the outputs came from the cache; this is what the original step printed\n",
      );
      yield* deps.logs.read({ ...source, attempt: 1 }, false, options.signal);
      return;
    }
    while (next <= Math.min(row.attempt, LOG_ATTEMPTS_MAX)) {
      if (next > 1) yield utf8(`[kelp] attempt ${next}\n`);
      const attempt = { runId: row.runId, taskId: row.taskId, attempt: next };
      yield* deps.logs.read(attempt, options.follow, options.signal);
      next++;
    }
    if (!options.follow || options.signal.aborted || next > LOG_ATTEMPTS_MAX) return;
    // Looked at again without a pause before waiting: the task may have ended while its log was read.
    const now = deps.getTask();
    if (now === undefined) return;
    if (now.attempt >= next || now.cachedFrom !== undefined) continue;
    if (isFinished(now.state)) return;
    await deps.changed(options.signal);
  }
}
