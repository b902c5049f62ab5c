import { ShellError } from "./errors.ts";

/** Reads what the server sent without trusting it. All throw `ShellError` `unexpected-answer`. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unexpected();
  return value as JsonObject;
}

export function textIn(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== "string") throw unexpected(name);
  return value;
}

export function textOrNullIn(object: JsonObject, name: string): string | undefined {
  return object[name] === null || object[name] === undefined ? undefined : textIn(object, name);
}

export function numberIn(object: JsonObject, name: string): number {
  const value = object[name];
  if (typeof value !== "number") throw unexpected(name);
  return value;
}

export function numberOf(value: unknown): number {
  if (typeof value !== "number") throw unexpected();
  return value;
}

export function numberOrNullIn(object: JsonObject, name: string): number | undefined {
  return object[name] === null || object[name] === undefined ? undefined : numberIn(object, name);
}

export function booleanIn(object: JsonObject, name: string): boolean {
  const value = object[name];
  if (typeof value !== "boolean") throw unexpected(name);
  return value;
}

export function listIn<Item>(
  object: JsonObject,
  name: string,
  read: (value: unknown) => Item,
): readonly Item[] {
  const value = object[name];
  if (!Array.isArray(value)) throw unexpected(name);
  return value.map((item: unknown) => read(item));
}

export function textOf(value: unknown): string {
  if (typeof value !== "string") throw unexpected();
  return value;
}

function unexpected(name?: string): ShellError {
  const where = name === undefined ? "" : ` at ${name}`;
  return new ShellError("unexpected-answer", `The server's answer cannot be read${where}`);
}
