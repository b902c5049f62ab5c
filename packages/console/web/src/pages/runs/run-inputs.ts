import { isRecord } from "../../api/http.ts";
import { unreachable } from "../../unreachable.ts";
import { innerSpec } from "../../graph/tasks-of-spec.ts";

export type InputType =
  | "STRING"
  | "NUMBER_INTEGER"
  | "NUMBER_DOUBLE"
  | "BOOLEAN"
  | "LIST"
  | "STRUCT";

/** A parameter that a pipeline takes. */
export interface RunInput {
  readonly name: string;
  readonly type: InputType;
  readonly description: string;
  readonly isRequired: boolean;
  readonly defaultValue: unknown;
  /** The only values allowed, when the specification says so. */
  readonly literals: readonly unknown[];
}

/** The parameters that the root of a specification declares. */
export function runInputs(spec: unknown): readonly RunInput[] {
  const root = fields(innerSpec(spec)["root"]);
  const parameters = fields(fields(root["inputDefinitions"])["parameters"]);
  return Object.entries(parameters).map(([name, value]) => {
    const declared = fields(value);
    const defaultValue = declared["defaultValue"];
    return {
      name,
      type: inputType(declared["parameterType"]),
      description: typeof declared["description"] === "string" ? declared["description"] : "",
      isRequired: declared["isOptional"] !== true && defaultValue === undefined,
      defaultValue,
      literals: Array.isArray(declared["literals"]) ? declared["literals"] : [],
    };
  });
}

/** The text that a form field starts with. */
export function inputText(input: RunInput, value: unknown): string {
  if (value === undefined || value === null) return "";
  return input.type === "STRING" && typeof value === "string" ? value : JSON.stringify(value);
}

export type ParsedInput =
  | { readonly kind: "value"; readonly value: unknown }
  /** Left empty: the pipeline's own default holds. */
  | { readonly kind: "absent" }
  | { readonly kind: "wrong"; readonly message: string };

/** What a person typed, as the declared type. */
export function parseInput(input: RunInput, text: string): ParsedInput {
  if (text === "" && input.type === "STRING" && typeof input.defaultValue === "string") {
    return { kind: "value", value: "" };
  }
  if (text.trim() === "") {
    return input.isRequired
      ? wrong("This parameter has no default; give it a value")
      : { kind: "absent" };
  }
  switch (input.type) {
    case "STRING":
      return { kind: "value", value: text };
    case "NUMBER_INTEGER":
      return /^[+-]?\d+$/.test(text.trim()) && Number.isSafeInteger(Number(text))
        ? { kind: "value", value: Number(text) }
        : wrong("This must be a whole number");
    case "NUMBER_DOUBLE":
      return Number.isFinite(Number(text))
        ? { kind: "value", value: Number(text) }
        : wrong("This must be a number");
    case "BOOLEAN":
      if (text === "true" || text === "false") return { kind: "value", value: text === "true" };
      return wrong("This must be true or false");
    case "LIST":
    case "STRUCT":
      return parseJsonInput(input.type, text);
    default:
      return unreachable(input.type);
  }
}

function parseJsonInput(type: "LIST" | "STRUCT", text: string): ParsedInput {
  const shape = type === "LIST" ? "a JSON list such as [1, 2]" : 'a JSON object such as {"a": 1}';
  try {
    const value: unknown = JSON.parse(text);
    const fits = type === "LIST" ? Array.isArray(value) : isRecord(value);
    return fits ? { kind: "value", value } : wrong(`This must be ${shape}`);
  } catch {
    return wrong(`This must be ${shape}`);
  }
}

function wrong(message: string): ParsedInput {
  return { kind: "wrong", message };
}

function inputType(value: unknown): InputType {
  switch (value) {
    case "NUMBER_INTEGER":
    case "NUMBER_DOUBLE":
    case "BOOLEAN":
    case "LIST":
    case "STRUCT":
      return value;
    default:
      return "STRING";
  }
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
