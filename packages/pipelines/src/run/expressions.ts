import { Environment } from "@marcbachmann/cel-js";
import { TaskError } from "../errors.ts";
import { type JsonObject, type JsonValue, isJsonObject } from "../spec/json.ts";
import { parameterText } from "./parameters.ts";

/** CEL as specifications use it: conditions over inputs, and selectors that take a value apart. */
const environment = new Environment({
  unlistedVariablesAreDyn: false,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 10_000, maxDepth: 200 },
})
  .registerVariable("inputs", "map")
  .registerVariable("string_value", "string")
  .registerFunction("parseJson(string): dyn", (text: string): unknown => JSON.parse(text));

/**
 * Whether a task's trigger condition holds for its inputs.
 *
 * @throws TaskError when the expression is broken, names an absent input, or gives no boolean.
 */
export function evaluateCondition(expression: string, parameters: JsonObject): boolean {
  const value = evaluate(expression, {
    inputs: { parameter_values: parameters },
    string_value: "",
  });
  if (typeof value === "boolean") return value;
  throw new TaskError(`Condition ${expression} gives ${String(value)}, expected true or false`);
}

/** What a selector such as `parseJson(string_value)["a"]` takes out of a value. */
export function evaluateSelector(expression: string, value: JsonValue): JsonValue {
  return jsonOf(
    evaluate(expression, { inputs: {}, string_value: parameterText(value) }),
    expression,
  );
}

function evaluate(expression: string, context: Record<string, unknown>): unknown {
  try {
    return environment.evaluate(expression, context);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new TaskError(`Cannot evaluate the expression ${expression}: ${reason}`, {
      cause: error,
    });
  }
}

function jsonOf(value: unknown, expression: string): JsonValue {
  if (typeof value === "bigint") return Number(value);
  if (value === null || ["boolean", "number", "string"].includes(typeof value)) {
    return value as JsonValue;
  }
  if (Array.isArray(value)) return value.map((item: unknown) => jsonOf(item, expression));
  if (value instanceof Map) {
    return Object.fromEntries(
      [...value].map(([name, item]) => [String(name), jsonOf(item, expression)]),
    );
  }
  if (isJsonObject(value)) return value;
  throw new TaskError(`The expression ${expression} gives a value that is no JSON`);
}
