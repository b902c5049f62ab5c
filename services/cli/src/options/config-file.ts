import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseYamlDocuments } from "@kelp/base/platform";
import { z } from "zod";
import { UsageError } from "../usage-error.ts";
import type { OptionDefinition } from "./definition.ts";
import { nearestName } from "./nearest.ts";

/** Values of a configuration file, as text by dotted option name. */
export interface ConfigFile {
  readonly file: string;
  /** Paths in the file are taken from here. */
  readonly folder: string;
  readonly values: ReadonlyMap<string, string>;
}

const CONFIG_BYTES_MAX = 1024 * 1024;
const documentSchema = z.record(z.string(), z.unknown());
const scalarSchema = z.union([z.string(), z.number(), z.boolean()]);

/** Reads a YAML file whose names are those of the flags, dotted or nested. Throws `UsageError` naming the wrong line's key. */
export function readConfigFile(path: string, options: readonly OptionDefinition[]): ConfigFile {
  const file = resolve(path);
  return {
    file,
    folder: dirname(file),
    values: parseConfig(readText(file), { file, options }),
  };
}

/** The same from text: `file` is only for messages. */
export function parseConfig(
  text: string,
  { file, options }: { readonly file: string; readonly options: readonly OptionDefinition[] },
): Map<string, string> {
  const document = parseYaml(text, file);
  if (document === null || document === undefined) return new Map();
  const parsed = documentSchema.safeParse(document);
  if (!parsed.success) {
    throw new UsageError(`Cannot use ${file}: it must be a map of option names to values`);
  }
  const names = options.map((option) => option.name);
  const values = new Map<string, string>();
  for (const [name, value] of flatten(parsed.data, "")) {
    if (!names.includes(name)) {
      const near = nearestName(name, names);
      throw new UsageError(
        `Cannot use ${file}: there is no option ${name}${near === undefined ? "" : `; did you mean ${near}?`}`,
      );
    }
    if (values.has(name)) throw new UsageError(`Cannot use ${file}: ${name} stands there twice`);
    const scalar = scalarSchema.safeParse(value);
    if (!scalar.success) {
      throw new UsageError(`Cannot use ${file}: ${name} must be one text, number or on/off`);
    }
    values.set(name, String(scalar.data));
  }
  return values;
}

/** `{ s3: { port: 1 } }` and `{ "s3.port": 1 }` are the same. */
function* flatten(
  map: Readonly<Record<string, unknown>>,
  prefix: string,
): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(map)) {
    const name = prefix === "" ? key : `${prefix}.${key}`;
    const inner = documentSchema.safeParse(value);
    if (inner.success && Object.keys(inner.data).length > 0) yield* flatten(inner.data, name);
    else yield [name, value];
  }
}

function parseYaml(text: string, file: string): unknown {
  try {
    const [document, ...others] = parseYamlDocuments(text);
    if (others.length === 0) return document;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Cannot use ${file}: it is not YAML: ${reason}`, { cause: error });
  }
  throw new UsageError(`Cannot use ${file}: it holds more than one document`);
}

function readText(file: string): string {
  try {
    const text = readFileSync(file, "utf8");
    if (text.length <= CONFIG_BYTES_MAX) return text;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Cannot read the configuration: ${reason}`, { cause: error });
  }
  throw new UsageError(`Cannot use ${file}: it is larger than ${CONFIG_BYTES_MAX} bytes`);
}
