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
    if (!options.follow || isFinished(row.state) || options.signal.aborted) return;
    // The row is as old as the reading took; a task that ended meanwhile changes no more.
    const current = deps.getTask();
    if (current === undefined || isFinished(current.state)) continue;
    if (current.attempt < next) await deps.changed(options.signal);
  }
}
