import { PipelinesError } from "../errors.ts";

/** What JSON can say. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export type JsonObject = { readonly [name: string]: JsonValue };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isJsonArray(value: unknown): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** `undefined` when the text is no JSON. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The same text for equal values whatever the order of their names: what fingerprints are made of. */
export function canonicalJson(value: JsonValue): string {
  if (isJsonArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`);
  return `{${members.join(",")}}`;
}

/**
 * Reads one object of a specification field by field and names the place in every refusal. Field names are given in
 * lowerCamelCase; proto-JSON also allows the snake_case name, so both are found. `null` counts as absent.
 */
export class Fields {
  readonly path: string;
  readonly #object: Readonly<Record<string, unknown>>;

  constructor(value: unknown, path: string) {
    if (!isRecord(value)) throw invalid(path, `is ${describe(value)}, expected an object`);
    this.path = path;
    this.#object = value;
  }

  /** Refuses every field that is not in `known`. */
  allowOnly(known: readonly string[]): void {
    for (const name of Object.keys(this.#object)) {
      if (!known.includes(name) && !known.some((candidate) => snakeCase(candidate) === name)) {
        throw invalid(this.at(name), "is not a known field");
      }
    }
  }

  names(): readonly string[] {
    return Object.keys(this.#object);
  }

  at(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }

  raw(name: string): unknown {
    const value = this.#object[name] ?? this.#object[snakeCase(name)];
    return value ?? undefined;
  }

  /** Any JSON; `null` is a value here. */
  json(name: string): JsonValue | undefined {
    const value = this.#object[name] ?? this.#object[snakeCase(name)];
    return value as JsonValue | undefined;
  }

  string(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === "string") return value;
    throw invalid(this.at(name), `is ${describe(value)}, expected text`);
  }

  requiredString(name: string): string {
    const value = this.string(name);
    if (value === undefined || value === "") throw invalid(this.at(name), "is missing");
    return value;
  }

  boolean(name: string): boolean {
    const value = this.raw(name);
    if (value === undefined) return false;
    if (typeof value === "boolean") return value;
    throw invalid(this.at(name), `is ${describe(value)}, expected true or false`);
  }

  /** Proto-JSON writes 64-bit integers as text, so both forms count. */
  count(name: string): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const number = typeof value === "string" ? Number(value) : value;
    if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
    throw invalid(this.at(name), `is ${describe(value)}, expected a whole number`);
  }

  number(name: string): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw invalid(this.at(name), `is ${describe(value)}, expected a number`);
  }

  /** Proto-JSON duration such as `10s` or `1.5s`, in milliseconds. */
  durationMs(name: string): number | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const match = /^(\d+(?:\.\d+)?)s$/.exec(text);
    if (match === null)
      throw invalid(this.at(name), `is "${text}", expected a duration like "10s"`);
    return Number(match[1]) * 1000;
  }

  object(name: string): Fields | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : new Fields(value, this.at(name));
  }

  requiredObject(name: string): Fields {
    const fields = this.object(name);
    if (fields === undefined) throw invalid(this.at(name), "is missing");
    return fields;
  }

  /** An object used as a map; absent is empty. */
  map<Value>(
    name: string,
    parse: (fields: Fields, key: string) => Value,
  ): ReadonlyMap<string, Value> {
    const fields = this.object(name);
    const result = new Map<string, Value>();
    for (const key of fields?.names() ?? []) {
      // Names become parts of paths and object keys.
      if (!isUsableName(key)) {
        throw invalid(`${this.at(name)}.${key.slice(0, NAME_BYTES_MAX)}`, "is not a usable name");
      }
      const member = fields?.raw(key);
      result.set(key, parse(new Fields(member ?? {}, `${this.at(name)}.${key}`), key));
    }
    return result;
  }

  list<Value>(name: string, parse: (value: unknown, path: string) => Value): readonly Value[] {
    const value = this.raw(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      throw invalid(this.at(name), `is ${describe(value)}, expected a list`);
    }
    return value.map((item: unknown, index) => parse(item, `${this.at(name)}[${index}]`));
  }

  strings(name: string): readonly string[] {
    return this.list(name, (value, path) => {
      if (typeof value === "string") return value;
      throw invalid(path, `is ${describe(value)}, expected text`);
    });
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) {
      throw invalid(this.at(name), `is "${text}", expected one of ${choices.join(", ")}`);
    }
    return choice;
  }
}

/** With an id of 36 characters behind it, a name must still fit the 255 bytes of a file name. */
const NAME_BYTES_MAX = 200;

function isUsableName(name: string): boolean {
  // As the name of a field this one would change what the object inherits instead.
  if (name === "__proto__" || Buffer.byteLength(name) > NAME_BYTES_MAX) return false;
  return !/^\.{0,2}$|[/\0]/.test(name);
}

/** A refusal that names the field. */
export function invalid(path: string, problem: string): PipelinesError {
  return new PipelinesError("invalid-spec", `Invalid pipeline specification: ${path} ${problem}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? "text" : `a ${typeof value}`;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
