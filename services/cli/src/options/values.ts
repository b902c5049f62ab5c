import { resolve } from "node:path";
import { UsageError } from "../usage-error.ts";
import type { OptionDefinition } from "./definition.ts";

/** Where a value stood, for the error and for paths. */
export type ValueSource =
  | { readonly kind: "flag"; readonly folder: string }
  | { readonly kind: "environment"; readonly name: string; readonly folder: string }
  | { readonly kind: "config"; readonly file: string; readonly folder: string }
  | { readonly kind: "default"; readonly folder: string };

/** Checks one value and brings it to its one spelling: paths absolute, counts without signs, lists without spaces. Throws `UsageError`. */
export function checkValue(option: OptionDefinition, text: string, source: ValueSource): string {
  const where = `${describeSource(option.name, source)} is ${JSON.stringify(text)}`;
  const { kind } = option;
  switch (kind.kind) {
    case "text":
      if (text === "") throw new UsageError(`${where}: it must not be empty`);
      return text;
    case "path":
      if (text === "") throw new UsageError(`${where}: it must not be empty`);
      return resolve(source.folder, text);
    case "port":
      return checkCount(text, where, { minimum: 0, maximum: 65_535 });
    case "count":
      return checkCount(text, where, kind);
    case "choice":
      if (!kind.values.includes(text)) {
        throw new UsageError(`${where}: choose one of ${kind.values.join(", ")}`);
      }
      return text;
    case "switch":
      if (text === "on" || text === "true") return "on";
      if (text === "off" || text === "false") return "off";
      throw new UsageError(`${where}: choose on or off`);
    case "list":
      return text
        .split(",")
        .map((each) => checkValue({ ...option, kind: kind.item }, each.trim(), source))
        .join(",");
    case "share":
      return checkShare(text, where);
    default:
      kind satisfies never;
      return text;
  }
}

function checkCount(
  text: string,
  where: string,
  range: { readonly minimum: number; readonly maximum: number },
): string {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= range.minimum) || !(value <= range.maximum)) {
    const limits = `from ${range.minimum} to ${range.maximum}`;
    throw new UsageError(`${where}: it must be a whole number ${limits}`);
  }
  return String(value);
}

function checkShare(text: string, where: string): string {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 1) return String(value);
  throw new UsageError(`${where}: it must be a number from 0 to 1`);
}

function describeSource(name: string, source: ValueSource): string {
  switch (source.kind) {
    case "flag":
      return `--${name}`;
    case "environment":
      return source.name;
    case "config":
      return `${name} in ${source.file}`;
    case "default":
      return `the default of --${name}`;
    default:
      source satisfies never;
      return name;
  }
}
