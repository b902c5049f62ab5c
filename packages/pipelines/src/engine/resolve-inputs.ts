import { unreachable } from "@kelp/base";
import { TaskError } from "../errors.ts";
import { evaluateSelector } from "../run/expressions.ts";
import { checkLiterals, convertParameter } from "../run/parameters.ts";
import { type ExecutorInput, type JobValues, renderText } from "../run/placeholders.ts";
import type { TaskArtifact, TaskValues } from "../run/run.ts";
import { type JsonObject, type JsonValue, isJsonArray, isJsonObject } from "../spec/json.ts";
import type { ArtifactSource, ParameterSource } from "../spec/model.ts";
import type { TaskNode } from "./task-node.ts";

/**
 * The inputs of a task whose upstream has ended: values from siblings, from the group around it, constants with
 * their placeholders rendered, then defaults; each as its declared type.
 *
 * @throws TaskError when a required input is missing or has the wrong type.
 */
export function resolveInputs(node: TaskNode, job: JobValues): TaskValues {
  const parameters = resolveParameters(node, job);
  const artifacts: Record<string, readonly TaskArtifact[]> = {};
  for (const [name, source] of node.spec?.artifacts ?? []) {
    const found = findArtifacts(node, source);
    if (found !== undefined) artifacts[name] = found;
  }
  for (const [name, declared] of node.component.inputs.artifacts) {
    if (artifacts[name] === undefined && !declared.isOptional && !isLoopItem(node, name)) {
      throw new TaskError(`Input artifact ${name} is missing: ${whereFrom(node, name)}`);
    }
  }
  return { parameters, artifacts };
}

function resolveParameters(node: TaskNode, job: JobValues): JsonObject {
  const values: Record<string, JsonValue> = {};
  const constants: [string, JsonValue][] = [];
  for (const [name, source] of node.spec?.parameters ?? []) {
    if (source.value.kind === "constant") {
      constants.push([name, source.value.value]);
      continue;
    }
    const value = findParameter(node, source, job);
    if (value !== undefined && value !== null) values[name] = select(source, value);
  }
  // Constants come second: they may name the other inputs of the same task.
  const scope = { executorInput: inputsOnly(values), job, pathOf: (uri: string) => uri };
  const rendered = constants.map(([name, value]): [string, JsonValue] => [
    name,
    renderValue(value, (text) => renderText(text, scope)),
  ]);
  for (const [name, value] of rendered) {
    const source = node.spec?.parameters.get(name);
    if (value !== null && source !== undefined) values[name] = select(source, value);
  }
  return convertAll(node, values);
}

function convertAll(node: TaskNode, values: Record<string, JsonValue>): JsonObject {
  for (const [name, declared] of node.component.inputs.parameters) {
    if (isLoopItem(node, name)) continue;
    const value = values[name] ?? declared.defaultValue;
    if (value === undefined || value === null) {
      if (declared.isOptional) continue;
      throw new TaskError(`Input parameter ${name} is missing: ${whereFrom(node, name)}`);
    }
    const converted = convertParameter(value, declared.type, name);
    checkLiterals(converted, declared, name);
    values[name] = converted;
  }
  return values;
}

/** An iteration's item is filled in per iteration, after the loop's own inputs were resolved. */
function isLoopItem(node: TaskNode, name: string): boolean {
  return node.row.kind === "loop" && node.spec?.iterator?.itemInput === name;
}

function select(source: ParameterSource, value: JsonValue): JsonValue {
  return source.selector === undefined || source.selector === ""
    ? value
    : evaluateSelector(source.selector, value);
}

function findParameter(
  node: TaskNode,
  source: ParameterSource,
  job: JobValues,
): JsonValue | undefined {
  const { value } = source;
  switch (value.kind) {
    case "component-input":
      return node.parent?.row.inputs.parameters[value.input];
    case "task-output":
      return sibling(node, value.task)?.row.outputs.parameters[value.output];
    case "final-status":
      return finalStatus(node, value.task, job);
    case "constant":
      return value.value;
    default:
      return unreachable(value);
  }
}

function findArtifacts(
  node: TaskNode,
  source: ArtifactSource,
): readonly TaskArtifact[] | undefined {
  return source.kind === "component-input"
    ? node.parent?.row.inputs.artifacts[source.input]
    : sibling(node, source.task)?.row.outputs.artifacts[source.output];
}

function sibling(node: TaskNode, name: string): TaskNode | undefined {
  return node.parent?.childByName.get(name);
}

/**
 * How an upstream task ended, for exit tasks. `COMPLETE` rather than `SUCCEEDED` is what the reference system sends
 * and what existing steps compare with.
 */
function finalStatus(node: TaskNode, task: string, job: JobValues): JsonObject {
  const row = sibling(node, task)?.row;
  const states = { SUCCEEDED: "COMPLETE", FAILED: "FAILED" } as const;
  const state =
    row?.state === "SUCCEEDED" || row?.state === "FAILED" ? states[row.state] : "CANCELED";
  return {
    state,
    error: row?.error === undefined ? {} : { code: RPC_UNKNOWN, message: row.error },
    pipelineJobUuid: job.pipeline_job_uuid,
    pipelineJobName: job.pipeline_job_name,
    pipelineJobResourceName: job.pipeline_job_resource_name,
    pipelineTaskName: task,
  };
}

const RPC_UNKNOWN = 2;

function whereFrom(node: TaskNode, name: string): string {
  const artifact = node.spec?.artifacts.get(name);
  const value = node.spec?.parameters.get(name)?.value;
  const source = artifact ?? value;
  switch (source?.kind) {
    case undefined:
      return "nothing gives it a value and it has no default";
    case "task-output":
      return `task ${source.task} gave no output ${source.output}`;
    case "component-input":
      return `the input ${source.input} of the group around it has no value`;
    case "constant":
    case "final-status":
      return "its value is empty";
    default:
      return unreachable(source);
  }
}

function inputsOnly(parameterValues: JsonObject): ExecutorInput {
  return {
    inputs: { parameterValues, artifacts: {} },
    outputs: { parameters: {}, artifacts: {}, outputFile: "" },
  };
}

/** Applies `render` to every text inside a value. */
function renderValue(value: JsonValue, render: (text: string) => string): JsonValue {
  if (typeof value === "string") return render(value);
  if (isJsonArray(value)) return value.map((item) => renderValue(item, render));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, renderValue(item, render)]),
  );
}
