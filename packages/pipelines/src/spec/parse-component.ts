import { type Fields, type JsonObject, type JsonValue, invalid, isJsonObject } from "./json.ts";
import {
  type Component,
  type ComponentInputs,
  type ComponentOutputs,
  type InputArtifact,
  type OutputArtifact,
  PARAMETER_TYPES,
  type ParameterType,
} from "./model.ts";
import { parseDag } from "./parse-dag.ts";

const COMPONENT_FIELDS = [
  "inputDefinitions",
  "outputDefinitions",
  "dag",
  "executorLabel",
  "singlePlatformSpecs",
  "taskConfigPassthroughs",
];

export function parseComponent(fields: Fields, name: string): Component {
  fields.allowOnly(COMPONENT_FIELDS);
  const dag = fields.object("dag");
  const label = fields.string("executorLabel");
  if (dag === undefined && label === undefined) {
    throw invalid(fields.path, "has neither dag nor executorLabel");
  }
  if (dag !== undefined && label !== undefined) {
    throw invalid(fields.path, "has both dag and executorLabel");
  }
  return {
    name,
    inputs: parseInputs(fields.object("inputDefinitions")),
    outputs: parseOutputs(fields.object("outputDefinitions")),
    body:
      dag === undefined
        ? { kind: "executor", label: label ?? "" }
        : { kind: "dag", dag: parseDag(dag) },
  };
}

function parseInputs(fields: Fields | undefined): ComponentInputs {
  if (fields === undefined) return { parameters: new Map(), artifacts: new Map() };
  return {
    parameters: fields.map("parameters", (parameter) => {
      const defaultValue = parameter.json("defaultValue");
      return {
        type: parameterType(parameter),
        isOptional: parameter.boolean("isOptional") || defaultValue !== undefined,
        defaultValue,
        literals: parameter.list("literals", (value) => value as JsonValue),
      };
    }),
    artifacts: fields.map("artifacts", parseInputArtifact),
  };
}

function parseInputArtifact(fields: Fields): InputArtifact {
  return {
    type: artifactType(fields),
    isList: fields.boolean("isArtifactList"),
    isOptional: fields.boolean("isOptional"),
  };
}

function parseOutputs(fields: Fields | undefined): ComponentOutputs {
  if (fields === undefined) return { parameters: new Map(), artifacts: new Map() };
  return {
    parameters: fields.map("parameters", (parameter) => ({ type: parameterType(parameter) })),
    artifacts: fields.map("artifacts", parseOutputArtifact),
  };
}

function parseOutputArtifact(fields: Fields): OutputArtifact {
  return {
    type: artifactType(fields),
    isList: fields.boolean("isArtifactList"),
    metadata: objectOf(fields, "metadata"),
  };
}

/** Old compilers wrote `type: INT`; those documents carry another schema version and were refused before. */
function parameterType(fields: Fields): ParameterType {
  const type = fields.choice("parameterType", PARAMETER_TYPES);
  if (type === undefined) throw invalid(fields.at("parameterType"), "is missing");
  return type;
}

/** The schema's title, its URI, or its inline text: whatever names the type. */
function artifactType(fields: Fields): string {
  return schemaTitle(fields.object("artifactType"));
}

export function schemaTitle(type: Fields | undefined): string {
  return (
    type?.string("schemaTitle") ??
    type?.string("schemaUri") ??
    (type?.string("instanceSchema") === undefined ? "system.Artifact" : "custom")
  );
}

export function objectOf(fields: Fields, name: string): JsonObject {
  const value = fields.raw(name);
  if (value === undefined) return {};
  if (!isJsonObject(value)) throw invalid(fields.at(name), "is not an object");
  return value;
}
