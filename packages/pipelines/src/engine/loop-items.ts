import { TaskError } from "../errors.ts";
import { convertParameter } from "../run/parameters.ts";
import type { TaskValues } from "../run/run.ts";
import { type JsonValue, isJsonArray, parseJson } from "../spec/json.ts";
import type { TaskNode } from "./task-node.ts";

/** Iterations of one loop. Each is at least two rows and they are all written at once. */
export const ITERATIONS_MAX = 10_000;

/** Tasks of one run, iterations included: loops inside loops multiply, and every task is a row and an object in memory. */
export const TASKS_PER_RUN_MAX = 200_000;

/** @throws TaskError when a run would have more than `TASKS_PER_RUN_MAX` tasks. */
export function checkTaskCount(count: number): void {
  if (count <= TASKS_PER_RUN_MAX) return;
  throw new TaskError(
    `The run would have ${count} tasks, at most ${TASKS_PER_RUN_MAX} are allowed`,
  );
}

/**
 * The inputs of every iteration of a loop, in order.
 *
 * @throws TaskError when what to iterate over is no list or too long, or an item has the wrong type.
 */
export function loopItems(loop: TaskNode): readonly TaskValues[] {
  const iterator = loop.spec?.iterator;
  const { inputs } = loop.row;
  if (iterator === undefined) return [];
  const { itemInput } = iterator;
  if (iterator.kind === "artifact") {
    const found = inputs.artifacts[iterator.input] ?? [];
    checkCount(found.length);
    return found.map((artifact) => ({
      ...inputs,
      artifacts: { ...inputs.artifacts, [itemInput]: [artifact] },
    }));
  }
  const items = iterator.kind === "raw" ? iterator.items : listOf(loop, iterator.input);
  checkCount(items.length);
  const type = loop.component.inputs.parameters.get(itemInput)?.type;
  return items.map((item) => ({
    ...inputs,
    parameters: {
      ...inputs.parameters,
      [itemInput]: type === undefined ? item : convertParameter(item, type, itemInput),
    },
  }));
}

function listOf(loop: TaskNode, input: string): readonly JsonValue[] {
  const value = loop.row.inputs.parameters[input];
  if (value === undefined) throw new TaskError(`The loop's list ${input} has no value`);
  const list = typeof value === "string" ? parseJson(value) : value;
  if (list !== undefined && isJsonArray(list)) return list;
  throw new TaskError(
    `The loop iterates over ${JSON.stringify(value).slice(0, 200)}, expected a list`,
  );
}

function checkCount(count: number): void {
  if (count > ITERATIONS_MAX) {
    throw new TaskError(`The loop has ${count} items, at most ${ITERATIONS_MAX} are allowed`);
  }
}
