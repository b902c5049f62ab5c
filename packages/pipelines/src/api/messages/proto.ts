import { z } from "zod";
import { ApiError } from "../errors.ts";

/**
 * Reading JSON as protobuf's mapping has it: names in snake or camel case, null for absent, 64-bit integers as numbers
 * or text, fields that the message does not have refused.
 */

/** An integer that may come as text. Outside ±2^53 it is refused. */
export const int64 = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d{1,16}$/)
    .transform(Number)
    .pipe(z.int()),
]);

/** A text; '' when absent, as in protobuf. */
export const text = z.string().default("");

/** `google.protobuf.Struct`: any JSON object, its names untouched. */
export const struct = z.record(z.string(), z.json());

export const textMap = z.record(z.string(), z.string());

/** Output-only or unsupported: accepted in a request that sends a whole message back, and ignored. */
export const ignored = z.unknown().optional();

/** A message by its snake case fields. `name` is for people. */
export function snakeMessage<Shape extends z.ZodRawShape>(name: string, shape: Shape) {
  const fields = new Map<string, string>();
  for (const field of Object.keys(shape)) {
    fields.set(field, field);
    fields.set(toCamelCase(field), field);
  }
  return z.preprocess((value, context) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const found: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      const field = fields.get(key);
      if (field === undefined) {
        context.addIssue({
          code: "custom",
          message: `${name} has no field ${JSON.stringify(key)}`,
        });
        continue;
      }
      if (Object.hasOwn(found, field)) {
        context.addIssue({ code: "custom", message: `${name} has field ${field} twice` });
      }
      if (item !== null) found[field] = item;
    }
    return found;
  }, z.object(shape));
}

function toCamelCase(field: string): string {
  return field.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

/** Parses JSON text as a message. Throws `ApiError` "invalid-argument"; `what` names the text. */
export function readJsonText<Schema extends z.ZodType>(
  schema: Schema,
  jsonText: string,
  what: string,
): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(jsonText);
  } catch (error) {
    throw new ApiError("invalid-argument", `Cannot read ${what}: it is no JSON`, { cause: error });
  }
  if (isDeeper(value, JSON_DEPTH_MAX)) {
    throw new ApiError(
      "invalid-argument",
      `Cannot read ${what}: it is nested more than ${JSON_DEPTH_MAX} deep`,
    );
  }
  return readMessage(schema, value, what);
}

/** Objects and lists inside each other. Whoever walks a value later recurses; packages in YAML have the same bound. */
const JSON_DEPTH_MAX = 256;

function isDeeper(value: unknown, depthMax: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depthMax === 0) return true;
  for (const item of Object.values(value)) if (isDeeper(item, depthMax - 1)) return true;
  return false;
}

/** Throws `ApiError` "invalid-argument" with the first thing that is wrong. */
export function readMessage<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  throw new ApiError(
    "invalid-argument",
    `Cannot read ${what}${place}: ${issue?.message ?? "it has another form"}`,
  );
}

/**
 * Leaves out what protobuf leaves out of JSON: absent values, empty texts, lists and maps, false.
 * Not for values whose emptiness says something.
 */
export function populated(message: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(message)) {
    if (isPopulated(value)) found[key] = value;
  }
  return found;
}

function isPopulated(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object") return Object.keys(value).length > 0;
  return true;
}

/** A boolean of a query string as Go reads it, which takes Python's `True` too. Absent or empty is false. */
export function parseQueryBoolean(name: string, value: string | undefined): boolean {
  if (value === undefined || value === "") return false;
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw new ApiError(
    "invalid-argument",
    `Cannot read ${name}: ${JSON.stringify(value)} is neither true nor false`,
  );
}
