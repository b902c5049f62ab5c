import type { TaskKind } from "@kelp/wire/management";
import { NO_VALUES, type Task } from "./run.ts";

/** A task that waits: what is known of it, and nothing yet for the rest. */
export function newTask(
  known: Partial<Task> & {
    readonly name: string;
    readonly displayName: string;
    readonly kind: TaskKind;
  },
  born: {
    readonly taskId: string;
    readonly runId: string;
    readonly sequence: number;
    readonly atMs: number;
  },
): Task {
  const { atMs, ...ids } = born;
  return {
    ...ids,
    parentTaskId: undefined,
    iterationIndex: undefined,
    state: "PENDING",
    isCached: false,
    dependsOn: [],
    inputs: NO_VALUES,
    outputs: NO_VALUES,
    attempt: 0,
    createdMs: atMs,
    startedMs: 0,
    finishedMs: 0,
    error: undefined,
    fingerprint: undefined,
    cachedFrom: undefined,
    stateHistory: [{ state: "PENDING", atMs }],
    ...known,
  };
}
