import { TaskError } from "../errors.ts";
import { type JsonObject, type JsonValue, isJsonArray, isJsonObject } from "../spec/json.ts";
import type { Task } from "../run/run.ts";
import type { TaskNode } from "./task-node.ts";

/** Named secrets and what they hold, for steps that ask for them. */
export type Secrets = ReadonlyMap<string, ReadonlyMap<string, string>>;

export interface PlatformSettings {
  readonly environment: Readonly<Record<string, string>>;
  /** 0 is none. */
  readonly timeoutMs: number;
  /** For the step's log: what was asked for and does not apply here. */
  readonly notes: readonly string[];
}

/** Settings that place or decorate a pod: leaving them out does not change what a step computes. */
const IGNORED = new Map([
  ["nodeSelector", "node selector"],
  ["tolerations", "tolerations"],
  ["nodeAffinity", "node affinity"],
  ["podAffinity", "pod affinity"],
  ["imagePullSecret", "image pull secret"],
  ["imagePullPolicy", "image pull policy"],
  ["podMetadata", "pod labels and annotations"],
  ["enabledSharedMemory", "shared memory size"],
  ["securityContext", "security context"],
]);

/** Settings that change what a step finds: they cannot be left out silently. */
const UNSUPPORTED = new Map([
  ["configMapAsEnv", "environment variables from a ConfigMap"],
  ["configMapAsVolume", "a ConfigMap mounted as files"],
  ["secretAsVolume", "a Secret mounted as files"],
  ["pvcMount", "a mounted volume claim"],
  ["genericEphemeralVolume", "an ephemeral volume"],
  ["emptyDirMounts", "an empty folder mounted at a path"],
  ["initContainers", "init containers"],
]);

/**
 * What an executor's settings for Kubernetes mean for a step that is no pod.
 *
 * @throws TaskError for a setting that would change the result and cannot be honoured, or an absent secret.
 */
export function platformSettings(
  node: TaskNode,
  settings: JsonObject,
  secrets: Secrets,
): PlatformSettings {
  const notes: string[] = [];
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(settings)) {
    if (name === "activeDeadlineSeconds") continue;
    if (name === "secretAsEnv") addSecrets(environment, node, value, secrets);
    else if (name === "fieldPathAsEnv") addFields(environment, node.row, settings);
    else if (IGNORED.has(name))
      notes.push(`${IGNORED.get(name) ?? name} does not apply here and is ignored`);
    else refuseUnlessAbsent(node, name, value);
  }
  const deadline = settings["activeDeadlineSeconds"];
  return { environment, notes, timeoutMs: deadline === undefined ? 0 : Number(deadline) * 1000 };
}

function refuseUnlessAbsent(node: TaskNode, name: string, value: JsonValue): void {
  const isNeeded = itemsOf(value).some(
    (item) => !(item["optional"] === true && nameOf(node, item) === ""),
  );
  if (!isNeeded) return;
  const what = UNSUPPORTED.get(name) ?? `the Kubernetes setting ${name}`;
  throw new TaskError(`The step asks for ${what}, which this executor does not support`);
}

function addSecrets(
  environment: Record<string, string>,
  node: TaskNode,
  value: JsonValue,
  secrets: Secrets,
): void {
  for (const item of itemsOf(value)) {
    const secretName = nameOf(node, item);
    const isOptional = item["optional"] === true;
    if (secretName === "" && isOptional) continue;
    for (const pair of itemsOf(item["keyToEnv"] ?? [])) {
      const key = textOf(pair["secretKey"]);
      const found = secrets.get(secretName)?.get(key);
      if (found !== undefined) environment[textOf(pair["envVar"])] = found;
      else if (!isOptional) {
        throw new TaskError(
          secrets.has(secretName)
            ? `The step needs key ${key} of secret ${secretName}, which the secret does not hold`
            : `The step needs secret ${secretName === "" ? "without a name" : secretName}, which does not exist`,
        );
      }
    }
  }
}

/** The pod's fields as they would be for a pod of this task; absent labels and annotations are empty. */
function addFields(environment: Record<string, string>, row: Task, settings: JsonObject): void {
  const pod = isJsonObject(settings["podMetadata"]) ? settings["podMetadata"] : {};
  for (const item of itemsOf(settings["fieldPathAsEnv"] ?? [])) {
    const path = textOf(item["fieldPath"]);
    environment[textOf(item["name"])] = fieldValue(path, row, pod);
  }
}

function fieldValue(path: string, row: Task, pod: JsonObject): string {
  if (path === "metadata.name") return `${row.name}-${row.taskId.slice(0, 8)}`;
  if (path === "metadata.uid") return row.taskId;
  if (path === "metadata.namespace") return "";
  const match = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (match === null) {
    throw new TaskError(
      `The step asks for the pod field ${path}, which this executor does not have`,
    );
  }
  const [, group = "", name = ""] = match;
  const values = pod[group];
  return isJsonObject(values) ? textOf(values[name]) : "";
}

/** The name of the secret or the like: from a parameter where there is one, else as written. */
function nameOf(node: TaskNode, item: JsonObject): string {
  for (const [field, value] of Object.entries(item)) {
    if (field.endsWith("NameParameter") && isJsonObject(value)) return parameterOf(node, value);
  }
  return textOf(item["secretName"] ?? item["configMapName"]);
}

function parameterOf(node: TaskNode, source: JsonObject): string {
  const input = source["componentInputParameter"];
  if (typeof input === "string") return textOf(node.parent?.row.inputs.parameters[input]);
  const runtime = source["runtimeValue"];
  if (isJsonObject(runtime)) return textOf(runtime["constant"]);
  const output = source["taskOutputParameter"];
  if (!isJsonObject(output)) return "";
  const producer = node.parent?.childByName.get(textOf(output["producerTask"]));
  return textOf(producer?.row.outputs.parameters[textOf(output["outputParameterKey"])]);
}

function itemsOf(value: JsonValue): readonly JsonObject[] {
  if (isJsonArray(value)) return value.filter(isJsonObject);
  return isJsonObject(value) ? [value] : [];
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
