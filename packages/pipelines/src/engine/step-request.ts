import { TaskError } from "../errors.ts";
import type { StepArtifact, StepRequest } from "../executor/executor.ts";
import type { JobValues } from "../run/placeholders.ts";
import { cleanRoot } from "../run/uri.ts";
import type { JsonValue } from "../spec/json.ts";
import type { ContainerSpec, PipelineSpec } from "../spec/model.ts";
import type { PlatformSettings } from "./platform-settings.ts";
import type { TaskNode } from "./task-node.ts";

export interface StepRequestParts {
  readonly node: TaskNode;
  readonly spec: PipelineSpec;
  readonly container: ContainerSpec;
  readonly settings: PlatformSettings;
  readonly job: JobValues;
  /** Fresh for every attempt: what a broken-off attempt left is never mixed with this one's. */
  readonly attemptId: string;
}

/** Everything an executor needs to carry out one attempt of a step. */
export function stepRequest(parts: StepRequestParts): StepRequest {
  const { node, spec, settings, job } = parts;
  const { row, component } = node;
  const root = cleanRoot(job.pipeline_root);
  const taskRootUri = `${root}/${spec.name}/${row.runId}/${row.name}/${parts.attemptId}`;
  const artifacts: Record<string, StepArtifact> = {};
  for (const [name, { type, metadata }] of component.outputs.artifacts) {
    artifacts[name] = { name, type, uri: `${taskRootUri}/${name}`, metadata };
  }
  return {
    runId: row.runId,
    taskId: row.taskId,
    taskName: row.name,
    attempt: row.attempt + 1,
    container: parts.container,
    environment: settings.environment,
    inputs: row.inputs,
    outputs: {
      parameters: Object.fromEntries(
        [...component.outputs.parameters].map(([name, { type }]) => [name, type]),
      ),
      artifacts,
    },
    taskRootUri,
    job,
    timeoutMs: settings.timeoutMs,
  };
}

/** Images that stand for an action on volume claims instead of a container. */
export const CREATE_CLAIM_IMAGE = "argostub/createpvc";
export const DELETE_CLAIM_IMAGE = "argostub/deletepvc";

/**
 * The outputs of such an action. Nothing is claimed where steps share the machine's disk: mounting a claim is what
 * is refused, so that no step runs without its volume.
 */
export function claimOutputs(node: TaskNode, job: JobValues): Readonly<Record<string, JsonValue>> {
  const { parameters } = node.row.inputs;
  if (!node.component.outputs.parameters.has("name")) return {};
  const name = parameters["pvc_name"];
  const suffix = parameters["pvc_name_suffix"];
  if (typeof name === "string" && name !== "") return { name };
  if (typeof suffix === "string" && suffix !== "") {
    return { name: `${job.pipeline_job_resource_name}${suffix}` };
  }
  throw new TaskError("The volume claim has neither pvc_name nor pvc_name_suffix");
}
