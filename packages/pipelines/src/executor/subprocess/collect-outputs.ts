import type { LocalFiles } from "@kelp/base";
import { TaskError } from "../../errors.ts";
import { convertParameter } from "../../run/parameters.ts";
import {
  type JsonObject,
  type JsonValue,
  isJsonArray,
  isJsonObject,
  parseJson,
} from "../../spec/json.ts";
import type { StepArtifact, StepRequest } from "../executor.ts";
import type { StepPaths } from "./step-paths.ts";

/** A step's report and one parameter's file. */
export const OUTPUT_FILE_BYTES_MAX = 16 * 1024 * 1024;

/** An output as the step left it. */
export interface LocalArtifact extends StepArtifact {
  /** What to take to the URI; `undefined` when the URI is another store's. */
  readonly path: string | undefined;
}

export interface CollectedOutputs {
  readonly parameters: JsonObject;
  readonly artifacts: Readonly<Record<string, readonly LocalArtifact[]>>;
}

/**
 * Reads what a step left: its report where it wrote one, and a file per parameter.
 *
 * @throws TaskError when a declared parameter was not written, has the wrong type, or the report is no JSON.
 */
export async function collectOutputs(
  files: LocalFiles,
  paths: StepPaths,
  request: StepRequest,
): Promise<CollectedOutputs> {
  const report = await readReport(files, paths);
  const parameters: Record<string, JsonValue> = {};
  for (const [name, type] of Object.entries(request.outputs.parameters)) {
    const value = report.parameters[name] ?? (await readParameter(files, paths, name));
    if (value === undefined) {
      throw new TaskError(`The step ended well but did not write its output parameter ${name}`);
    }
    parameters[name] = withUris(convertParameter(value, type, name), paths);
  }
  const artifacts: Record<string, readonly LocalArtifact[]> = {};
  for (const [name, declared] of Object.entries(request.outputs.artifacts)) {
    const reported = report.artifacts[name];
    artifacts[name] =
      reported === undefined || reported.length === 0
        ? [{ ...declared, path: paths.outputPath(declared.uri) }]
        : reported.map((item) => localArtifact(item, declared, paths));
  }
  return { parameters, artifacts };
}

interface Report {
  readonly parameters: JsonObject;
  readonly artifacts: Readonly<Record<string, readonly JsonObject[]>>;
}

async function readReport(files: LocalFiles, paths: StepPaths): Promise<Report> {
  const text = await files.readText(paths.outputFile, OUTPUT_FILE_BYTES_MAX);
  if (text === undefined || text.trim() === "") return { parameters: {}, artifacts: {} };
  // Python writes NaN and Infinity into what it calls JSON.
  const parsed = parseJson(text) ?? parseJson(text.replaceAll(/\b(?:NaN|-?Infinity)\b/g, "null"));
  if (!isJsonObject(parsed))
    throw new TaskError("The step's report of its outputs is no JSON object");
  const artifacts: Record<string, readonly JsonObject[]> = {};
  for (const [name, list] of Object.entries(objectOf(parsed["artifacts"]))) {
    const items = objectOf(list)["artifacts"];
    if (items !== undefined && isJsonArray(items)) artifacts[name] = items.filter(isJsonObject);
  }
  return { parameters: objectOf(parsed["parameterValues"]), artifacts };
}

async function readParameter(
  files: LocalFiles,
  paths: StepPaths,
  name: string,
): Promise<JsonValue | undefined> {
  return files.readText(paths.parameterFile(name), OUTPUT_FILE_BYTES_MAX);
}

function localArtifact(item: JsonObject, declared: StepArtifact, paths: StepPaths): LocalArtifact {
  const uri = textOf(item["uri"]);
  const custom = textOf(item["custom_path"] ?? item["customPath"]);
  return {
    name: textOf(item["name"]) || declared.name,
    type: declared.type,
    metadata: metadataOf(item["metadata"], declared, paths),
    ...place(uri, custom, declared, paths),
  };
}

/** Where an output is on the disk and which URI it gets. */
function place(
  uri: string,
  custom: string,
  declared: StepArtifact,
  paths: StepPaths,
): Pick<LocalArtifact, "uri" | "path"> {
  if (custom !== "") return { uri: declared.uri, path: paths.absolute(custom) };
  if (uri === "") return { uri: declared.uri, path: paths.outputPath(declared.uri) };
  const recorded = paths.uriOf(uri);
  if (paths.isUnderTaskRoot(recorded)) return { uri: recorded, path: uri };
  // A file of the step's own choosing is taken along; what belongs to an input or to another store is only recorded.
  return recorded.startsWith("/")
    ? { uri: declared.uri, path: recorded }
    : { uri: recorded, path: undefined };
}

function metadataOf(
  value: JsonValue | undefined,
  declared: StepArtifact,
  paths: StepPaths,
): JsonObject {
  const written = withUris(objectOf(value), paths);
  return { ...declared.metadata, ...objectOf(written) };
}

/** Local paths mean nothing once the step is gone, so values that leave it name URIs instead. */
function withUris(value: JsonValue, paths: StepPaths): JsonValue {
  if (typeof value === "string") return paths.textWithUris(value);
  if (isJsonArray(value)) return value.map((item) => withUris(item, paths));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withUris(item, paths)]),
  );
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
