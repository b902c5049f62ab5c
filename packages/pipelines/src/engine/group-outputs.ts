import { convertParameter } from "../run/parameters.ts";
import type { TaskArtifact, TaskValues } from "../run/run.ts";
import type { JsonValue } from "../spec/json.ts";
import type { OutputSelector } from "../spec/model.ts";
import { type TaskNode, dagOf } from "./task-node.ts";

/** Outputs of a finished group: of a loop gathered over its iterations, of any other taken from its children. */
export function groupOutputs(node: TaskNode): TaskValues {
  return node.row.kind === "loop" ? gatherIterations(node) : selectOutputs(node);
}

/**
 * In order of the iterations; those that gave nothing (skipped inside) are absent. Parameters of nested loops are
 * lists of lists, artifacts always one flat list, since no consumer can declare anything else.
 */
function gatherIterations(loop: TaskNode): TaskValues {
  const parameters: Record<string, JsonValue[]> = {};
  const artifacts: Record<string, TaskArtifact[]> = {};
  const dag = dagOf(loop);
  for (const name of dag.outputs.parameters.keys()) parameters[name] = [];
  for (const name of dag.outputs.artifacts.keys()) artifacts[name] = [];
  for (const iteration of loop.children) {
    const { outputs } = iteration.row;
    for (const [name, value] of Object.entries(outputs.parameters)) parameters[name]?.push(value);
    for (const [name, found] of Object.entries(outputs.artifacts)) artifacts[name]?.push(...found);
  }
  return { parameters, artifacts };
}

function selectOutputs(group: TaskNode): TaskValues {
  const { outputs } = dagOf(group);
  const parameters: Record<string, JsonValue> = {};
  const artifacts: Record<string, readonly TaskArtifact[]> = {};
  for (const [name, output] of outputs.parameters) {
    const selectors = output.kind === "one" ? [output.selector] : output.selectors;
    const value = firstOf(selectors, (selector) => outputsOf(group, selector)?.parameters);
    if (value === undefined) continue;
    // An iteration's value is one item of what its component declares as a list.
    const declared =
      group.row.kind === "iteration" ? undefined : group.component.outputs.parameters.get(name);
    parameters[name] =
      declared === undefined ? value : convertParameter(value, declared.type, name);
  }
  for (const [name, selectors] of outputs.artifacts) {
    const found = firstOf(selectors, (selector) => outputsOf(group, selector)?.artifacts);
    if (found !== undefined) artifacts[name] = found;
  }
  return { parameters, artifacts };
}

function firstOf<Value>(
  selectors: readonly OutputSelector[],
  outputs: (selector: OutputSelector) => Readonly<Record<string, Value>> | undefined,
): Value | undefined {
  for (const selector of selectors) {
    const value = outputs(selector)?.[selector.output];
    if (value !== undefined) return value;
  }
  return undefined;
}

function outputsOf(group: TaskNode, selector: OutputSelector): TaskValues | undefined {
  const producer = group.childByName.get(selector.task);
  return producer?.row.state === "SUCCEEDED" ? producer.row.outputs : undefined;
}
