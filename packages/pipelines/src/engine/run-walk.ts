import { type Clock, type Random, assert, must } from "@kelp/base";
import type { Lineage } from "@kelp/lineage";
import type { RunState } from "@kelp/wire/management";
import { TaskError } from "../errors.ts";
import { evaluateCondition } from "../run/expressions.ts";
import type { JobValues } from "../run/placeholders.ts";
import { type Run, type Task, type TaskValues, isFinished, runInState } from "../run/run.ts";
import type { RunStore } from "../run/run-store.ts";
import type { Component, PipelineSpec, TaskSpec } from "../spec/model.ts";
import { newTask } from "../run/new-task.ts";
import { groupOutputs } from "./group-outputs.ts";
import { checkTaskCount, loopItems } from "./loop-items.ts";
import { recordStart, recordState } from "./record-lineage.ts";
import { resolveInputs } from "./resolve-inputs.ts";
import {
  type TaskNode,
  createNode,
  dagOf,
  failureOf,
  inState,
  isGroup,
  taskKind,
} from "./task-node.ts";

export interface WalkDeps {
  readonly store: RunStore;
  readonly lineage: Lineage;
  readonly clock: Clock;
  readonly random: Random;
  readonly jobValues: (run: Run, row: Task) => JobValues;
}

/** How a leaf ended. */
export type TaskResult =
  | { readonly kind: "succeeded"; readonly outputs: TaskValues; readonly change?: Partial<Task> }
  | { readonly kind: "failed"; readonly error: string }
  | { readonly kind: "canceled" };

/**
 * One run as a state machine. Every public method takes the run from one consistent state to the next and writes all
 * changed rows in one transaction; what it returns are the leaves that became ready to execute.
 *
 * Invariants:
 * - a group is RUNNING exactly while it has an unfinished child; its children's rows were created with that state;
 * - a leaf is handed out once per life of this object, when its upstream has ended and its inputs are resolved;
 * - the database holds what memory holds whenever no method is running.
 */
export class RunWalk {
  readonly spec: PipelineSpec;
  #run: Run;
  readonly #deps: WalkDeps;
  readonly #nodes = new Map<string, TaskNode>();
  readonly #dirty = new Set<TaskNode>();
  /** Tasks whose upstream has ended. */
  #agenda: TaskNode[] = [];
  /** Leaves to hand out. */
  #ready: TaskNode[] = [];
  #sequence = 0;

  constructor(deps: WalkDeps, run: Run, spec: PipelineSpec) {
    this.#deps = deps;
    this.#run = run;
    this.spec = spec;
  }

  get run(): Run {
    return this.#run;
  }

  get isFinished(): boolean {
    return isFinished(this.#run.state);
  }

  /** Starts a run that has no tasks yet. */
  begin(): readonly TaskNode[] {
    return this.#change(() => {
      this.#setRunState("RUNNING");
      const root = this.#createRoot();
      this.#startGroup(root);
    });
  }

  /** Takes up the rows of a run that was left unfinished. Steps that were running are handed out again. */
  restore(rows: readonly Task[]): readonly TaskNode[] {
    if (rows.length === 0) return this.begin();
    return this.#change(() => {
      if (this.#run.state === "PENDING") this.#setRunState("RUNNING");
      for (const row of rows) this.#adopt(row);
      // A copy: opening groups adds nodes, and those are handed out by themselves.
      const nodes = [...this.#nodes.values()];
      for (const node of nodes) {
        if (isGroup(node) && node.row.state === "RUNNING") this.#recount(node);
      }
      for (const node of nodes) {
        if (isFinished(node.row.state)) continue;
        if (!isGroup(node) && node.row.state === "RUNNING") {
          // Its half-done attempt does not count.
          this.#save(node, {
            ...node.row,
            state: "PENDING",
            attempt: Math.max(0, node.row.attempt - 1),
          });
        }
        if (node.row.state !== "RUNNING" && node.parent?.row.kind !== "loop") {
          if (node.waiting === 0) this.#agenda.push(node);
        } else if (isGroup(node) && node.row.state === "RUNNING") {
          // An iteration that waits for its turn has no children either, and must not end for that.
          if (node.row.kind === "loop") this.#startIterations(node);
          if (node.open === 0) this.#finishGroup(node);
        }
      }
    });
  }

  /** Notes that an attempt begins. */
  stepStarted(node: TaskNode, change: Partial<Task>): void {
    this.#change(() => {
      const row = { ...node.row, ...change, attempt: node.row.attempt + 1 };
      this.#save(node, inState(row, "RUNNING", this.#deps.clock.nowMs()));
      recordStart(this.#deps.lineage, this.#run, node, this.#deps.clock.nowMs());
    });
  }

  /** Notes that an attempt failed and another will follow. */
  stepWillRetry(node: TaskNode, error: string): void {
    this.#change(() => {
      this.#save(node, inState({ ...node.row, error }, "PENDING", this.#deps.clock.nowMs(), error));
    });
  }

  /** Takes a leaf's result. Ignored when the leaf has ended already, as after a cancellation. */
  complete(node: TaskNode, result: TaskResult): readonly TaskNode[] {
    if (isFinished(node.row.state)) return [];
    return this.#change(() => {
      if (result.kind === "succeeded") {
        this.#save(node, { ...node.row, ...result.change, outputs: result.outputs });
        this.#finish(node, "SUCCEEDED");
      } else if (result.kind === "failed") {
        this.#finish(node, "FAILED", result.error);
      } else {
        this.#finish(node, "CANCELED");
      }
    });
  }

  /** Says that the run is being stopped: nothing new starts. */
  requestCancel(): void {
    if (this.#run.state === "CANCELING") return;
    this.#change(() => this.#setRunState("CANCELING"));
  }

  /** Ends everything unfinished as canceled and the run as FAILED, which is what clients understand as final. */
  cancel(message: string): void {
    this.#change(() => {
      const unfinished = [...this.#nodes.values()].filter((node) => !isFinished(node.row.state));
      for (const node of unfinished.toReversed()) {
        this.#save(node, inState(node.row, "CANCELED", this.#deps.clock.nowMs()));
        recordState(this.#deps.lineage, this.#run, node);
      }
      this.#agenda = [];
      this.#ready = [];
      this.#setRunState("FAILED", message);
    });
  }

  #change(work: () => void): readonly TaskNode[] {
    this.#deps.store.database.transaction(() => {
      work();
      this.#workOff();
      for (const node of this.#dirty) this.#deps.store.saveTask(node.row);
      this.#dirty.clear();
    });
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  #workOff(): void {
    for (let node = this.#agenda.shift(); node !== undefined; node = this.#agenda.shift()) {
      this.#start(node);
    }
  }

  /** A task whose upstream has ended: skips it, fails it, opens it, or hands it out. */
  #start(node: TaskNode): void {
    if (isFinished(node.row.state)) return;
    if (!this.#isTriggered(node)) {
      this.#finish(node, "SKIPPED");
      return;
    }
    try {
      const inputs =
        node.row.kind === "root"
          ? node.row.inputs
          : resolveInputs(node, this.#deps.jobValues(this.#run, node.row));
      this.#save(node, { ...node.row, inputs });
      const condition = node.spec?.condition;
      if (condition !== undefined && !evaluateCondition(condition, inputs.parameters)) {
        this.#finish(node, "SKIPPED");
      } else if (isGroup(node)) {
        this.#startGroup(node);
      } else {
        this.#ready.push(node);
      }
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      this.#finish(node, "FAILED", error.message);
    }
  }

  #isTriggered(node: TaskNode): boolean {
    if (node.spec?.trigger !== "upstream-succeeded") return true;
    return node.spec.dependsOn.every(
      (name) => node.parent?.childByName.get(name)?.row.state === "SUCCEEDED",
    );
  }

  #startGroup(node: TaskNode): void {
    this.#save(node, inState(node.row, "RUNNING", this.#deps.clock.nowMs()));
    if (node.row.kind === "loop") {
      const items = loopItems(node);
      checkTaskCount(this.#nodes.size + items.length * (1 + dagOf(node).tasks.size));
      for (const [index, inputs] of items.entries()) this.#createIteration(node, index, inputs);
      node.open = items.length;
      this.#startIterations(node);
    } else {
      this.#createChildren(node);
    }
    if (node.open === 0) this.#finishGroup(node);
  }

  #startIterations(loop: TaskNode): void {
    const limit = loop.spec?.parallelismLimit || Number.POSITIVE_INFINITY;
    // Counting is only worth it where there is a limit.
    let running =
      limit === Number.POSITIVE_INFINITY
        ? 0
        : loop.children.filter((child) => child.row.state === "RUNNING").length;
    while (loop.nextIteration < loop.children.length && running < limit) {
      const iteration = must(loop.children[loop.nextIteration]);
      loop.nextIteration++;
      if (iteration.row.state !== "PENDING") continue;
      running++;
      this.#startGroup(iteration);
    }
  }

  #finish(node: TaskNode, state: RunState, error?: string): void {
    assert(!isFinished(node.row.state), "a task ends once");
    this.#save(node, inState(node.row, state, this.#deps.clock.nowMs(), error));
    recordState(this.#deps.lineage, this.#run, node);
    const { parent } = node;
    if (parent === undefined) {
      this.#finishRun(node);
      return;
    }
    parent.open--;
    assert(parent.open >= 0, "a group has as many open children as rows");
    if (parent.row.kind === "loop") {
      this.#startIterations(parent);
    } else {
      for (const name of dagOf(parent).dependents.get(node.row.name) ?? []) {
        const dependent = must(parent.childByName.get(name));
        dependent.waiting--;
        if (dependent.waiting === 0) this.#agenda.push(dependent);
      }
    }
    if (parent.open === 0 && parent.row.state === "RUNNING") this.#finishGroup(parent);
  }

  #finishGroup(node: TaskNode): void {
    if (isFinished(node.row.state)) return;
    const failed = node.children.find((child) => child.row.state === "FAILED");
    if (failed !== undefined) {
      this.#finish(node, "FAILED", failureOf(failed));
      return;
    }
    if (node.children.some((child) => child.row.state === "CANCELED")) {
      this.#finish(node, "CANCELED");
      return;
    }
    try {
      this.#save(node, { ...node.row, outputs: groupOutputs(node) });
      this.#finish(node, "SUCCEEDED");
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      this.#finish(node, "FAILED", error.message);
    }
  }

  #finishRun(root: TaskNode): void {
    const state = root.row.state === "SUCCEEDED" ? "SUCCEEDED" : "FAILED";
    this.#setRunState(
      state,
      state === "FAILED" ? (root.row.error ?? "The run was canceled") : undefined,
    );
  }

  #setRunState(state: RunState, error?: string): void {
    this.#run = runInState(this.#run, state, this.#deps.clock.nowMs(), error);
    this.#deps.store.updateRun(this.#run);
  }

  #createRoot(): TaskNode {
    const inputs = { parameters: this.#run.parameters, artifacts: {} };
    const row = this.#row({
      name: this.spec.name,
      displayName: this.#run.displayName,
      kind: "root",
      inputs,
    });
    return this.#attach(row, undefined, undefined, this.spec.root);
  }

  #createChildren(group: TaskNode): void {
    const { tasks } = dagOf(group);
    const ids = new Map([...tasks.keys()].map((name) => [name, this.#deps.random.uuid()]));
    for (const spec of tasks.values()) {
      const component = must(this.spec.components.get(spec.component), "components were checked");
      const row = this.#row({
        taskId: must(ids.get(spec.name)),
        parentTaskId: group.row.taskId,
        name: spec.name,
        displayName: spec.displayName,
        kind: taskKind(spec, component, this.spec),
        dependsOn: spec.dependsOn.map((name) => must(ids.get(name))),
      });
      const node = this.#attach(row, group, spec, component);
      node.waiting = spec.dependsOn.length;
      if (node.waiting === 0) this.#agenda.push(node);
    }
    group.open = group.children.length;
  }

  #createIteration(loop: TaskNode, index: number, inputs: TaskValues): void {
    const row = this.#row({
      parentTaskId: loop.row.taskId,
      name: loop.row.name,
      displayName: `${loop.row.displayName} #${index + 1}`,
      kind: "iteration",
      iterationIndex: index,
      inputs,
    });
    this.#attach(row, loop, loop.spec, loop.component);
  }

  #row(known: Parameters<typeof newTask>[0]): Task {
    return newTask(known, {
      taskId: this.#deps.random.uuid(),
      runId: this.#run.runId,
      sequence: this.#sequence++,
      atMs: this.#deps.clock.nowMs(),
    });
  }

  #attach(
    row: Task,
    parent: TaskNode | undefined,
    spec: TaskSpec | undefined,
    component: Component,
  ): TaskNode {
    const node = createNode({ row, parent, spec, component });
    this.#nodes.set(row.taskId, node);
    this.#dirty.add(node);
    return node;
  }

  /** Makes a node of a row from the database. Parents come first. */
  #adopt(row: Task): void {
    this.#sequence = Math.max(this.#sequence, row.sequence + 1);
    const parent = row.parentTaskId === undefined ? undefined : this.#nodes.get(row.parentTaskId);
    if (parent === undefined) {
      assert(row.kind === "root", "every task but the root has a parent row");
      this.#nodes.set(
        row.taskId,
        createNode({ row, parent, spec: undefined, component: this.spec.root }),
      );
      return;
    }
    const spec = row.kind === "iteration" ? parent.spec : dagOf(parent).tasks.get(row.name);
    const component = must(this.spec.components.get(must(spec).component));
    const node = createNode({ row, parent, spec, component });
    this.#nodes.set(row.taskId, node);
  }

  #recount(group: TaskNode): void {
    group.open = group.children.filter((child) => !isFinished(child.row.state)).length;
    group.nextIteration = 0;
    if (group.row.kind === "loop") return;
    for (const child of group.children) {
      child.waiting = must(child.spec).dependsOn.filter(
        (name) => !isFinished(must(group.childByName.get(name)).row.state),
      ).length;
    }
  }

  #save(node: TaskNode, row: Task): void {
    if (row === node.row) return;
    node.row = row;
    this.#dirty.add(node);
  }
}
