import type { JsonValue, PipelineSpec } from "../index.ts";
import { RunClientError } from "./errors.ts";

/**
 * Reads `name=value` texts by the types that the pipeline declares: text stays as it is, numbers and booleans are
 * checked, lists and structs are JSON. The last of equal names counts. Throws `RunClientError` "invalid-parameter".
 */
export function parseParameters(
  spec: PipelineSpec,
  assignments: readonly string[],
): Record<string, JsonValue> {
  const declared = spec.root.inputs.parameters;
  const parameters: Record<string, JsonValue> = {};
  for (const assignment of assignments) {
    const at = assignment.indexOf("=");
    if (at < 1) throw invalid(`${JSON.stringify(assignment)} is not of the form name=value`);
    const name = assignment.slice(0, at);
    const type = declared.get(name)?.type;
    if (type === undefined) {
      const known = [...declared.keys()].join(", ");
      throw invalid(
        `the pipeline has no parameter ${name}; it has ${known === "" ? "none" : known}`,
      );
    }
    parameters[name] = parseValue(name, type, assignment.slice(at + 1));
  }
  return parameters;
}

function parseValue(name: string, type: string, text: string): JsonValue {
  switch (type) {
    case "NUMBER_INTEGER":
      if (!/^[+-]?\d+$/.test(text)) throw wrongType(name, text, "an integer");
      return Number(text);
    case "NUMBER_DOUBLE":
      if (text.trim() === "" || !Number.isFinite(Number(text))) {
        throw wrongType(name, text, "a number");
      }
      return Number(text);
    case "BOOLEAN":
      if (!/^(true|false)$/i.test(text)) throw wrongType(name, text, "true or false");
      return text.toLowerCase() === "true";
    case "LIST":
    case "STRUCT":
      return parseStructured(name, type, text);
    default:
      return text;
  }
}

function parseStructured(name: string, type: "LIST" | "STRUCT", text: string): JsonValue {
  const wanted = type === "LIST" ? "a JSON list" : "a JSON object";
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw wrongType(name, text, wanted, { cause: error });
  }
  const isWanted =
    type === "LIST"
      ? Array.isArray(value)
      : typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isWanted) throw wrongType(name, text, wanted);
  return value;
}

function wrongType(
  name: string,
  text: string,
  wanted: string,
  options?: ErrorOptions,
): RunClientError {
  return invalid(`${name} is ${JSON.stringify(text)}, expected ${wanted}`, options);
}

function invalid(what: string, options?: ErrorOptions): RunClientError {
  return new RunClientError("invalid-parameter", `Cannot use --param: ${what}`, options);
}
