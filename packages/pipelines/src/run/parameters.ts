import { unreachable } from "@kelp/base";
import { PipelinesError, TaskError } from "../errors.ts";
import {
  type JsonObject,
  type JsonValue,
  canonicalJson,
  isJsonArray,
  isJsonObject,
  parseJson,
} from "../spec/json.ts";
import type { Component, InputParameter, ParameterType } from "../spec/model.ts";

/** How a value prints inside text: texts as they are, everything else as JSON, numbers shortest. */
export function parameterText(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * The value as its declared type. Texts are read as what is wanted, and anything can become a text, since that is how
 * values pass between components of different types.
 *
 * @throws TaskError when the value cannot be read as the type.
 */
export function convertParameter(value: JsonValue, type: ParameterType, name: string): JsonValue {
  switch (type) {
    case "STRING":
      return parameterText(value);
    case "NUMBER_INTEGER":
    case "NUMBER_DOUBLE":
      return convertNumber(value, type, name);
    case "BOOLEAN":
      return convertBoolean(value, name);
    case "LIST": {
      const list = typeof value === "string" ? parseJson(value) : value;
      if (list !== undefined && isJsonArray(list)) return list;
      throw wrongType(name, type, value);
    }
    case "STRUCT":
    case "TASK_FINAL_STATUS":
    case "TASK_CONFIG": {
      const struct = typeof value === "string" ? parseJson(value) : value;
      if (isJsonObject(struct)) return struct;
      // A dictionary annotation of Python also takes lists in practice.
      if (struct !== undefined && isJsonArray(struct)) return struct;
      throw wrongType(name, type, value);
    }
    default:
      return unreachable(type);
  }
}

function convertNumber(
  value: JsonValue,
  type: "NUMBER_INTEGER" | "NUMBER_DOUBLE",
  name: string,
): number {
  const text = typeof value === "string" ? value.trim() : "";
  const number =
    typeof value === "number" ? value : /^[+-]?(\d|\.\d)/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(number)) throw wrongType(name, type, value);
  if (type === "NUMBER_INTEGER" && !Number.isInteger(number)) throw wrongType(name, type, value);
  return number;
}

function convertBoolean(value: JsonValue, name: string): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") {
    const text = value.trim().toLowerCase();
    if (text === "true") return true;
    if (text === "false") return false;
  }
  throw wrongType(name, "BOOLEAN", value);
}

function wrongType(name: string, type: ParameterType, value: JsonValue): TaskError {
  const shown = JSON.stringify(value);
  const short =
    shown.length > SHOWN_VALUE_LENGTH ? `${shown.slice(0, SHOWN_VALUE_LENGTH)}…` : shown;
  return new TaskError(`Parameter ${name} is ${short}, expected a value of type ${type}`);
}

const SHOWN_VALUE_LENGTH = 200;

/** Refuses a value that is none of the literals, where there are any. */
export function checkLiterals(value: JsonValue, declared: InputParameter, name: string): void {
  if (declared.literals.length === 0) return;
  const wanted = canonicalJson(value);
  if (declared.literals.some((literal) => canonicalJson(literal) === wanted)) return;
  throw new TaskError(
    `Parameter ${name} is ${wanted}, expected one of ${declared.literals.map(canonicalJson).join(", ")}`,
  );
}

/**
 * The parameters of a run: what was given, checked and converted, and defaults for the rest.
 *
 * @throws PipelinesError `invalid-parameter` for unknown names, missing values, wrong types and literals.
 */
export function resolveRunParameters(
  root: Component,
  given: Readonly<Record<string, JsonValue>>,
): JsonObject {
  const declared = root.inputs.parameters;
  for (const name of Object.keys(given)) {
    if (!declared.has(name)) {
      const known = [...declared.keys()].join(", ");
      throw new PipelinesError(
        "invalid-parameter",
        `The pipeline has no parameter ${name}; it has ${known === "" ? "none" : known}`,
      );
    }
  }
  for (const [name, artifact] of root.inputs.artifacts) {
    if (!artifact.isOptional) {
      throw new PipelinesError(
        "invalid-parameter",
        `The pipeline needs artifact ${name} as its input, which a run cannot be given`,
      );
    }
  }
  const resolved: Record<string, JsonValue> = {};
  for (const [name, parameter] of declared) {
    const value = given[name] ?? parameter.defaultValue;
    if (value === undefined || value === null) {
      if (parameter.isOptional) continue;
      throw new PipelinesError("invalid-parameter", `The pipeline's parameter ${name} is missing`);
    }
    try {
      const converted = convertParameter(value, parameter.type, name);
      checkLiterals(converted, parameter, name);
      resolved[name] = converted;
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      throw new PipelinesError("invalid-parameter", error.message, { cause: error });
    }
  }
  return resolved;
}
