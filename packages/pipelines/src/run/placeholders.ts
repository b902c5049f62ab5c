import { TaskError } from "../errors.ts";
import {
  type JsonObject,
  type JsonValue,
  isJsonArray,
  isJsonObject,
  parseJson,
} from "../spec/json.ts";
import { parameterText } from "./parameters.ts";

/** What a step is told: the wire message that Python steps are handed as `{{$}}`. */
export interface ExecutorInput {
  readonly inputs: {
    readonly parameterValues: JsonObject;
    readonly artifacts: Readonly<Record<string, ArtifactList>>;
  };
  readonly outputs: {
    readonly parameters: Readonly<Record<string, { readonly outputFile: string }>>;
    readonly artifacts: Readonly<Record<string, ArtifactList>>;
    readonly outputFile: string;
  };
}

export interface ArtifactList {
  readonly artifacts: readonly RuntimeArtifact[];
}

export interface RuntimeArtifact {
  readonly name: string;
  readonly type: { readonly schemaTitle: string; readonly schemaVersion: string };
  readonly uri: string;
  readonly metadata: JsonObject;
}

/** Values of placeholders about the run and the task, such as `pipeline_job_name`. */
export type JobValues = Readonly<Record<JobPlaceholder, string>>;

export const JOB_PLACEHOLDERS = [
  "pipeline_job_name",
  "pipeline_job_resource_name",
  "pipeline_job_uuid",
  "pipeline_task_name",
  "pipeline_task_uuid",
  "pipeline_root",
  "pipeline_job_create_time_utc",
  "pipeline_job_schedule_time_utc",
  "workspace_path",
] as const;
export type JobPlaceholder = (typeof JOB_PLACEHOLDERS)[number];

export interface RenderScope {
  readonly executorInput: ExecutorInput;
  readonly job: JobValues;
  /** Local path of an artifact's URI. */
  readonly pathOf: (uri: string) => string;
}

/**
 * Renders command and arguments. Every placeholder is replaced from the resolved structure in one pass, so text that
 * came out of a value is never looked at again. An element that is only a placeholder of an absent input is left out.
 */
export function renderArguments(
  elements: readonly string[],
  scope: RenderScope,
): readonly string[] {
  return elements.flatMap((element) => renderElement(element, scope));
}

function renderElement(element: string, scope: RenderScope): readonly string[] {
  const structure = parseStructure(element);
  if (structure !== undefined) return renderStructure(structure, scope);
  if (isAbsentPlaceholder(element, scope)) return [];
  return [renderText(element, scope)];
}

/** `{"Concat": […]}` or `{"IfPresent": {…}}` as the JSON text of a whole element. */
function parseStructure(element: string): JsonObject | undefined {
  if (!/^\s*\{\s*"(?:Concat|IfPresent)"/.test(element)) return undefined;
  const parsed = parseJson(element);
  return isJsonObject(parsed) ? parsed : undefined;
}

function renderStructure(value: JsonValue, scope: RenderScope): readonly string[] {
  if (typeof value === "string") return renderElement(value, scope);
  if (isJsonArray(value)) return value.flatMap((item) => renderStructure(item, scope));
  if (!isJsonObject(value)) return [parameterText(value)];
  const concat = value["Concat"];
  if (concat !== undefined && isJsonArray(concat)) {
    return [concat.flatMap((part) => renderStructure(part, scope)).join("")];
  }
  const condition = value["IfPresent"];
  if (isJsonObject(condition)) {
    const name = condition["InputName"];
    const isThere = typeof name === "string" && isPresent(name, scope);
    return renderStructure((isThere ? condition["Then"] : condition["Else"]) ?? [], scope);
  }
  return [JSON.stringify(value)];
}

function isPresent(input: string, scope: RenderScope): boolean {
  const { parameterValues, artifacts } = scope.executorInput.inputs;
  const value = parameterValues[input];
  if (value !== undefined && value !== null) return true;
  return (artifacts[input]?.artifacts.length ?? 0) > 0;
}

const INPUT_PARAMETER = /^\{\{\$\.inputs\.parameters\[['"]([^'"\]]+)['"]\]\}\}$/;

function isAbsentPlaceholder(element: string, scope: RenderScope): boolean {
  const name = INPUT_PARAMETER.exec(element)?.[1];
  return name !== undefined && !isPresent(name, scope);
}

const PLACEHOLDER = /\{\{\$(?:\.([^{}]+?))?\}\}/g;

/** Replaces the placeholders inside a text. Unknown ones stay as they are: they may be the step's own syntax. */
export function renderText(text: string, scope: RenderScope): string {
  if (!text.includes("{{$")) return text;
  return text.replaceAll(PLACEHOLDER, (whole, path: string | undefined) => {
    if (path === undefined) return JSON.stringify(scope.executorInput);
    return renderPlaceholder(path, scope) ?? whole;
  });
}

const PARAMETER_PATH = /^inputs\.parameters\[['"](.+)['"]\]$/;
const OUTPUT_FILE_PATH = /^outputs\.parameters\[['"](.+)['"]\]\.output_file$/;
const ARTIFACT_PATH =
  /^(inputs|outputs)\.artifacts\[['"]([^'"]+)['"]\](?:\.(uri|path|name|metadata)(?:\[['"]([^'"]+)['"]\])?)?$/;

function renderPlaceholder(path: string, scope: RenderScope): string | undefined {
  const job = JOB_PLACEHOLDERS.find((name) => name === path);
  if (job !== undefined) return scope.job[job];
  const { inputs, outputs } = scope.executorInput;
  if (path === "outputs.output_file" || path === "outputMetadataUri") return outputs.outputFile;
  const parameter = PARAMETER_PATH.exec(path)?.[1];
  if (parameter !== undefined) {
    const value = inputs.parameterValues[parameter];
    return value === undefined || value === null ? "" : parameterText(value);
  }
  const output = OUTPUT_FILE_PATH.exec(path)?.[1];
  if (output !== undefined) {
    const file = outputs.parameters[output]?.outputFile;
    if (file === undefined)
      throw new TaskError(`The command names output ${output}, which does not exist`);
    return file;
  }
  return renderArtifact(path, scope);
}

function renderArtifact(path: string, scope: RenderScope): string | undefined {
  const match = ARTIFACT_PATH.exec(path);
  if (match === null) return undefined;
  const [, side, name = "", field, metadataName] = match;
  const lists =
    side === "inputs"
      ? scope.executorInput.inputs.artifacts
      : scope.executorInput.outputs.artifacts;
  const list = lists[name];
  if (field === undefined) return JSON.stringify(list?.artifacts ?? []);
  const artifact = list?.artifacts[0];
  if (artifact === undefined) return "";
  switch (field) {
    case "uri":
      return artifact.uri;
    case "path":
      return scope.pathOf(artifact.uri);
    case "name":
      return artifact.name;
    default: {
      if (metadataName === undefined) return JSON.stringify(artifact.metadata);
      const value = artifact.metadata[metadataName];
      return value === undefined ? "" : parameterText(value);
    }
  }
}
