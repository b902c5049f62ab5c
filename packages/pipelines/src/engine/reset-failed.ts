import { must } from "@kelp/base";
import { NO_VALUES, type Run, type Task, runInState } from "../run/run.ts";
import type { RunStore } from "../run/run-store.ts";
import type { Component, Dag, PipelineSpec } from "../spec/model.ts";

/**
 * Takes a failed run back to where it can go on: what succeeded stays, what failed, was canceled, or waited for such
 * a task runs again. A task that succeeded but follows one that runs again (an exit task) also runs again.
 * Callers wrap this in a transaction.
 */
export function resetFailed(store: RunStore, run: Run, spec: PipelineSpec, atMs: number): Run {
  const rows = store.getTasks(run.runId);
  const children = new Map<string, Task[]>();
  for (const row of rows) {
    if (row.parentTaskId === undefined) continue;
    const siblings = children.get(row.parentTaskId) ?? [];
    siblings.push(row);
    children.set(row.parentTaskId, siblings);
  }
  const reset = new Reset(store, spec, children);
  const root = rows[0];
  if (root !== undefined) reset.reopen(root, spec.root);
  const reopened = runInState(run, "PENDING", atMs);
  store.updateRun(reopened);
  return reopened;
}

class Reset {
  readonly #store: RunStore;
  readonly #spec: PipelineSpec;
  readonly #children: ReadonlyMap<string, readonly Task[]>;

  constructor(store: RunStore, spec: PipelineSpec, children: ReadonlyMap<string, readonly Task[]>) {
    this.#store = store;
    this.#spec = spec;
    this.#children = children;
  }

  reopen(group: Task, component: Component): void {
    this.#store.saveTask({ ...cleared(group), inputs: group.inputs, state: "RUNNING" });
    const children = this.#children.get(group.taskId) ?? [];
    if (group.kind === "loop") {
      for (const iteration of children) {
        if (iteration.state === "SUCCEEDED") continue;
        if (this.#hasChildren(iteration)) this.reopen(iteration, component);
        else this.#store.saveTask({ ...cleared(iteration), inputs: iteration.inputs });
      }
      return;
    }
    if (component.body.kind === "dag") this.#reopenChildren(component.body.dag, children);
  }

  #reopenChildren(dag: Dag, children: readonly Task[]): void {
    const again = this.#tasksToRunAgain(dag, children);
    for (const child of children) {
      if (!again.has(child.name)) continue;
      const spec = must(dag.tasks.get(child.name));
      const follows = spec.dependsOn.some((name) => again.has(name));
      const isPartlyDone = child.state === "FAILED" || child.state === "CANCELED";
      if (isPartlyDone && !follows && this.#hasChildren(child)) {
        this.reopen(child, must(this.#spec.components.get(spec.component)));
      } else {
        this.#deleteBelow(child);
        this.#store.saveTask(cleared(child));
      }
    }
  }

  /** Names of failed and canceled tasks, and of all that follow them. */
  #tasksToRunAgain(dag: Dag, children: readonly Task[]): ReadonlySet<string> {
    const again = new Set<string>();
    const open = children
      .filter((child) => child.state !== "SUCCEEDED" && child.state !== "SKIPPED")
      .map((child) => child.name);
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (again.has(name)) continue;
      again.add(name);
      open.push(...(dag.dependents.get(name) ?? []));
    }
    return again;
  }

  #hasChildren(row: Task): boolean {
    return this.#children.has(row.taskId);
  }

  #deleteBelow(row: Task): void {
    for (const child of this.#children.get(row.taskId) ?? []) {
      this.#deleteBelow(child);
      this.#store.deleteTask(child.taskId);
    }
  }
}

function cleared(row: Task): Task {
  return {
    ...row,
    state: "PENDING",
    isCached: false,
    inputs: NO_VALUES,
    outputs: NO_VALUES,
    attempt: 0,
    startedMs: 0,
    finishedMs: 0,
    error: undefined,
    fingerprint: undefined,
    cachedFrom: undefined,
  };
}
