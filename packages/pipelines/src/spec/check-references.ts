import { invalid } from "./json.ts";
import type { Component, Dag, OutputSelector, PipelineSpec, TaskSpec } from "./model.ts";

/**
 * Checks what the parts of a specification say about each other: components, executors, tasks and inputs that are
 * named exist, tasks do not wait for each other in a circle, components do not contain themselves.
 */
export function checkReferences(spec: PipelineSpec): void {
  if (spec.root.body.kind !== "dag") throw invalid("root", "has no dag");
  for (const component of [spec.root, ...spec.components.values()]) {
    const path = component.name === "root" ? "root" : `components.${component.name}`;
    if (component.body.kind === "dag") checkDag(spec, component, component.body.dag, path);
    else if (!spec.executors.has(component.body.label)) {
      throw invalid(`${path}.executorLabel`, `names ${component.body.label}, which does not exist`);
    }
  }
  checkNesting(spec);
}

function checkDag(spec: PipelineSpec, owner: Component, dag: Dag, path: string): void {
  for (const task of dag.tasks.values()) checkTask(spec, owner, dag, task, `${path}.dag.tasks`);
  checkCycles(dag, `${path}.dag.tasks`);
  for (const [name, output] of dag.outputs.parameters) {
    const at = `${path}.dag.outputs.parameters.${name}`;
    const selectors = output.kind === "one" ? [output.selector] : output.selectors;
    for (const selector of selectors) checkProducer(spec, dag, selector, "parameters", at);
  }
  for (const [name, selectors] of dag.outputs.artifacts) {
    const at = `${path}.dag.outputs.artifacts.${name}`;
    for (const selector of selectors) checkProducer(spec, dag, selector, "artifacts", at);
  }
}

function checkTask(
  spec: PipelineSpec,
  owner: Component,
  dag: Dag,
  task: TaskSpec,
  tasksPath: string,
): void {
  const path = `${tasksPath}.${task.name}`;
  const component = spec.components.get(task.component);
  if (component === undefined) {
    throw invalid(`${path}.componentRef.name`, `names ${task.component}, which does not exist`);
  }
  if (task.iterator !== undefined && component.body.kind !== "dag") {
    throw invalid(path, "iterates over a component without dag, which is not supported");
  }
  for (const upstream of task.dependsOn) {
    if (!dag.tasks.has(upstream))
      throw invalid(path, `waits for ${upstream}, which does not exist`);
  }
  for (const [name, source] of task.parameters) {
    const at = `${path}.inputs.parameters.${name}`;
    if (source.value.kind === "component-input") {
      if (!owner.inputs.parameters.has(source.value.input)) {
        throw invalid(at, `reads input ${source.value.input}, which does not exist`);
      }
    } else if (source.value.kind === "task-output") {
      checkProducer(spec, dag, source.value, "parameters", at);
    }
  }
  for (const [name, source] of task.artifacts) {
    const at = `${path}.inputs.artifacts.${name}`;
    if (source.kind === "task-output") checkProducer(spec, dag, source, "artifacts", at);
    else if (!owner.inputs.artifacts.has(source.input)) {
      throw invalid(at, `reads input ${source.input}, which does not exist`);
    }
  }
}

function checkProducer(
  spec: PipelineSpec,
  dag: Dag,
  selector: OutputSelector,
  kind: "parameters" | "artifacts",
  path: string,
): void {
  const task = dag.tasks.get(selector.task);
  if (task === undefined) throw invalid(path, `reads task ${selector.task}, which does not exist`);
  const component = spec.components.get(task.component);
  if (component !== undefined && !component.outputs[kind].has(selector.output)) {
    throw invalid(
      path,
      `reads output ${selector.output} of ${selector.task}, which does not exist`,
    );
  }
}

/** Takes away tasks that wait for nothing until none is left; what remains waits in a circle. */
function checkCycles(dag: Dag, path: string): void {
  const waiting = new Map(
    [...dag.tasks.values()].map((task) => [task.name, task.dependsOn.length]),
  );
  const free = [...waiting].filter(([, count]) => count === 0).map(([name]) => name);
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    waiting.delete(name);
    for (const dependent of dag.dependents.get(name) ?? []) {
      const left = (waiting.get(dependent) ?? 0) - 1;
      waiting.set(dependent, left);
      if (left === 0) free.push(dependent);
    }
  }
  if (waiting.size > 0) {
    throw invalid(path, `wait for each other in a circle: ${[...waiting.keys()].join(", ")}`);
  }
}

/** Components inside components: what people write is a handful deep, and the walk below recurses. */
export const NESTING_MAX = 64;
/** Tasks of a run when all its components are unfolded, each loop counted once. All are rows, held in memory too. */
export const TASKS_UNFOLDED_MAX = 100_000;

function checkNesting(spec: PipelineSpec): void {
  const sizes = new Map<string, number>();
  const visit = (component: Component, above: readonly string[]): number => {
    if (above.includes(component.name)) {
      throw invalid(`components.${component.name}`, "contains itself");
    }
    if (above.length > NESTING_MAX) {
      throw invalid(
        `components.${component.name}`,
        `is nested too deeply, at most ${NESTING_MAX} components may contain each other`,
      );
    }
    const known = sizes.get(component.name);
    if (known !== undefined || component.body.kind !== "dag") return known ?? 0;
    let count = 0;
    for (const task of component.body.dag.tasks.values()) {
      const inner = spec.components.get(task.component);
      if (inner !== undefined) count += 1 + visit(inner, [...above, component.name]);
    }
    if (count > TASKS_UNFOLDED_MAX) {
      throw invalid(
        component.name === "root" ? "root" : `components.${component.name}`,
        `unfolds to more than ${TASKS_UNFOLDED_MAX} tasks`,
      );
    }
    sizes.set(component.name, count);
    return count;
  };
  visit(spec.root, []);
}
