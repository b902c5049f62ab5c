import { unreachable } from "@kelp/base";
import { z } from "zod";
import { ApiError } from "../errors.ts";
import { int64, readJsonText, snakeMessage } from "../messages/proto.ts";
import { parseTimestampMs } from "../messages/timestamp.ts";
import type { SqlCondition } from "./condition.ts";
import type { Field, ListSource } from "./fields.ts";

/** Predicates of one filter; they are ANDed. */
export const FILTER_PREDICATES_MAX = 50;
/** Values of one IN. */
export const FILTER_VALUES_MAX = 500;

const OPERATION_NUMBERS: ReadonlyMap<number, Operation> = new Map([
  [1, "EQUALS"],
  [2, "NOT_EQUALS"],
  [3, "GREATER_THAN"],
  [5, "GREATER_THAN_EQUALS"],
  [6, "LESS_THAN"],
  [7, "LESS_THAN_EQUALS"],
  [8, "IN"],
  [9, "IS_SUBSTRING"],
]);

const OPERATIONS = [
  "EQUALS",
  "NOT_EQUALS",
  "GREATER_THAN",
  "GREATER_THAN_EQUALS",
  "LESS_THAN",
  "LESS_THAN_EQUALS",
  "IN",
  "IS_SUBSTRING",
] as const;
type Operation = (typeof OPERATIONS)[number];
type Comparison = Exclude<Operation, "IN" | "IS_SUBSTRING">;

const SQL_OPERATORS = {
  EQUALS: "=",
  NOT_EQUALS: "<>",
  GREATER_THAN: ">",
  GREATER_THAN_EQUALS: ">=",
  LESS_THAN: "<",
  LESS_THAN_EQUALS: "<=",
} as const satisfies Record<Comparison, string>;

const FILTER = snakeMessage("filter", {
  predicates: z
    .array(
      snakeMessage("predicate", {
        operation: z.union([z.enum(OPERATIONS), z.int()]),
        key: z.string(),
        int_value: int64.optional(),
        long_value: int64.optional(),
        string_value: z.string().optional(),
        timestamp_value: z.string().optional(),
        int_values: snakeMessage("int_values", { values: z.array(int64).optional() }).optional(),
        long_values: snakeMessage("long_values", { values: z.array(int64).optional() }).optional(),
        string_values: snakeMessage("string_values", {
          values: z.array(z.string()).optional(),
        }).optional(),
      }),
    )
    .max(FILTER_PREDICATES_MAX)
    .optional(),
});
type Predicate = NonNullable<z.infer<typeof FILTER>["predicates"]>[number];

/** What a predicate compares with. `seconds` since the epoch for times and numbers. */
type Operand =
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "seconds"; readonly value: number }
  | { readonly kind: "texts"; readonly values: readonly string[] }
  | { readonly kind: "many-seconds"; readonly values: readonly number[] };

/** The conditions of a `filter` parameter. Throws `ApiError` "invalid-argument" naming what is wrong. */
export function parseFilter(source: ListSource, filterText: string): SqlCondition[] {
  const filter = readJsonText(FILTER, filterText, "filter");
  return (filter.predicates ?? []).map((predicate) => toCondition(source, predicate));
}

function toCondition(source: ListSource, predicate: Predicate): SqlCondition {
  const operation = toOperation(predicate.operation);
  const operand = toOperand(predicate);
  if (predicate.key.startsWith("tags.") && source.tagsColumn !== undefined) {
    return tagCondition(source.tagsColumn, predicate.key.slice("tags.".length), operation, operand);
  }
  const field = source.fields.get(predicate.key);
  if (field === undefined) {
    throw invalid(`a ${source.noun} cannot be filtered by ${JSON.stringify(predicate.key)}`);
  }
  if (operation === "IN") return inCondition(field, predicate.key, operand);
  if (operation === "IS_SUBSTRING") return substringCondition(field, predicate.key, operand);
  if (field.kind === "time") return timeCondition(field, predicate.key, operation, operand);
  if (operand.kind !== "text") throw invalid(`${predicate.key} needs a string_value`);
  return { sql: `${field.column} ${SQL_OPERATORS[operation]} ?`, values: [operand.value] };
}

function toOperation(value: Predicate["operation"]): Operation {
  const operation = typeof value === "number" ? OPERATION_NUMBERS.get(value) : value;
  if (operation === undefined) throw invalid(`there is no operation ${value}`);
  return operation;
}

function toOperand(predicate: Predicate): Operand {
  const operands: Operand[] = [];
  if (predicate.string_value !== undefined) {
    operands.push({ kind: "text", value: predicate.string_value });
  }
  for (const value of [predicate.int_value, predicate.long_value]) {
    if (value !== undefined) operands.push({ kind: "seconds", value });
  }
  if (predicate.timestamp_value !== undefined) {
    const timeMs = parseTimestampMs(predicate.timestamp_value);
    if (timeMs === undefined) {
      throw invalid(`${JSON.stringify(predicate.timestamp_value)} is no RFC 3339 time`);
    }
    operands.push({ kind: "seconds", value: Math.floor(timeMs / 1000) });
  }
  if (predicate.string_values !== undefined) {
    operands.push({ kind: "texts", values: predicate.string_values.values ?? [] });
  }
  for (const list of [predicate.int_values, predicate.long_values]) {
    if (list !== undefined) operands.push({ kind: "many-seconds", values: list.values ?? [] });
  }
  const [operand] = operands;
  if (operand === undefined || operands.length > 1) {
    throw invalid(`the predicate on ${JSON.stringify(predicate.key)} needs exactly one value`);
  }
  return operand;
}

/** A column of milliseconds against whole seconds: `= s` is the range from `s` to before `s + 1`. */
function timeCondition(
  field: Field,
  key: string,
  operation: Comparison,
  operand: Operand,
): SqlCondition {
  if (operand.kind !== "seconds") throw invalid(`${key} needs a timestamp_value`);
  const fromMs = operand.value * 1000;
  const untilMs = fromMs + 1000;
  const { column } = field;
  switch (operation) {
    case "EQUALS":
      return { sql: `${column} >= ? AND ${column} < ?`, values: [fromMs, untilMs] };
    case "NOT_EQUALS":
      return { sql: `${column} < ? OR ${column} >= ?`, values: [fromMs, untilMs] };
    case "GREATER_THAN":
      return { sql: `${column} >= ?`, values: [untilMs] };
    case "GREATER_THAN_EQUALS":
      return { sql: `${column} >= ?`, values: [fromMs] };
    case "LESS_THAN":
      return { sql: `${column} < ?`, values: [fromMs] };
    case "LESS_THAN_EQUALS":
      return { sql: `${column} < ?`, values: [untilMs] };
    default:
      return unreachable(operation);
  }
}

function inCondition(field: Field, key: string, operand: Operand): SqlCondition {
  const isTime = field.kind === "time";
  if (isTime ? operand.kind !== "many-seconds" : operand.kind !== "texts") {
    throw invalid(`IN on ${key} needs ${isTime ? "long_values" : "string_values"}`);
  }
  const values = "values" in operand ? operand.values : [];
  if (values.length > FILTER_VALUES_MAX) {
    throw invalid(`IN takes up to ${FILTER_VALUES_MAX} values, there are ${values.length}`);
  }
  const marks = values.map(() => "?").join(", ");
  const column = isTime ? `${field.column} / 1000` : field.column;
  return { sql: `${column} IN (${marks})`, values };
}

function substringCondition(field: Field, key: string, operand: Operand): SqlCondition {
  if (field.kind !== "text" || operand.kind !== "text") {
    throw invalid(`IS_SUBSTRING needs a text field and a string_value, ${key} has not both`);
  }
  const pattern = operand.value.replace(/[\\%_]/g, (character) => `\\${character}`);
  return { sql: `${field.column} LIKE ? ESCAPE '\\'`, values: [`%${pattern}%`] };
}

function tagCondition(
  column: string,
  tag: string,
  operation: Operation,
  operand: Operand,
): SqlCondition {
  if (operation !== "EQUALS" || operand.kind !== "text" || tag === "") {
    throw invalid(`tags are filtered by EQUALS and a string_value only`);
  }
  return {
    sql: `EXISTS (SELECT 1 FROM json_each(${column}) AS tag WHERE tag.key = ? AND tag.value = ?)`,
    values: [tag, operand.value],
  };
}

function invalid(what: string): ApiError {
  return new ApiError("invalid-argument", `Cannot apply filter: ${what}`);
}
