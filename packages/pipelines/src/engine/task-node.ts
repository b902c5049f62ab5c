import { must } from "@kelp/base";
import type { RunState, TaskKind } from "@kelp/wire/management";
import { isFinished, type StateChange, type Task } from "../run/run.ts";
import type {
  Component,
  Dag,
  ExecutorSpec,
  PipelineSpec,
  RetryPlan,
  TaskSpec,
} from "../spec/model.ts";

/**
 * A task of a run that is being walked: its row and what the walk needs to know about it. The row is replaced, never
 * changed. Counters are derived from rows and rebuilt after a restart.
 */
export interface TaskNode {
  row: Task;
  readonly parent: TaskNode | undefined;
  /** `undefined` for the root. An iteration has the specification of its loop. */
  readonly spec: TaskSpec | undefined;
  readonly component: Component;
  /** Its own plan or the nearest one above. */
  readonly retry: RetryPlan | undefined;
  /** In order of creation; iterations in order of index. */
  readonly children: TaskNode[];
  /** Children by name; empty for a loop, whose children share one. */
  readonly childByName: Map<string, TaskNode>;
  /** Children not finished. */
  open: number;
  /** Siblings waited for and not finished. */
  waiting: number;
  /** Index of the next iteration of a loop to start. */
  nextIteration: number;
}

export function createNode(options: {
  readonly row: Task;
  readonly parent: TaskNode | undefined;
  readonly spec: TaskSpec | undefined;
  readonly component: Component;
}): TaskNode {
  const { parent, spec } = options;
  const node: TaskNode = {
    ...options,
    retry: spec?.retry ?? parent?.retry,
    children: [],
    childByName: new Map(),
    open: 0,
    waiting: 0,
    nextIteration: 0,
  };
  if (parent !== undefined) {
    parent.children.push(node);
    if (parent.row.kind !== "loop") parent.childByName.set(node.row.name, node);
  }
  return node;
}

/** What the console shows a task as. The compiler's naming tells groups apart. */
export function taskKind(spec: TaskSpec, component: Component, executors: PipelineSpec): TaskKind {
  if (component.body.kind === "executor") {
    return executors.executors.get(component.body.label)?.kind === "importer" ? "importer" : "step";
  }
  if (spec.iterator !== undefined) return "loop";
  if (spec.name.startsWith("condition-branches-")) return "condition-branches";
  if (spec.condition !== undefined) return "condition";
  return spec.name.startsWith("exit-handler-") ? "exit-handler" : "dag";
}

export function dagOf(node: TaskNode): Dag {
  const { body } = node.component;
  return must(body.kind === "dag" ? body.dag : undefined, "a group has a dag");
}

export function executorLabel(node: TaskNode): string {
  const { body } = node.component;
  return must(body.kind === "executor" ? body.label : undefined, "a step has an executor");
}

export function executorOf(node: TaskNode, spec: PipelineSpec): ExecutorSpec {
  return must(spec.executors.get(executorLabel(node)), "executors were checked");
}

export function isGroup(node: TaskNode): boolean {
  return node.row.kind !== "step" && node.row.kind !== "importer";
}

/** The row in a new state, with history and times. */
export function inState(row: Task, state: RunState, atMs: number, error?: string): Task {
  if (row.state === state) return row;
  const change: StateChange = error === undefined ? { state, atMs } : { state, atMs, error };
  return {
    ...row,
    state,
    error: error ?? (isFinished(state) ? row.error : undefined),
    startedMs: state === "RUNNING" && row.startedMs === 0 ? atMs : row.startedMs,
    finishedMs: isFinished(state) ? atMs : 0,
    stateHistory: [...row.stateHistory, change],
  };
}

/** A group's error names the step at fault and its first line; the rest stands at the step itself. */
export function failureOf(node: TaskNode): string {
  const error = node.row.error ?? "";
  if (isGroup(node)) return error;
  return `Task ${node.row.name} failed: ${error.split("\n")[0] ?? ""}`;
}
