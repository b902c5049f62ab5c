import { YamlError } from "../yaml.ts";
import { indentContinuations } from "./yaml-continuations.ts";

/** Mappings and sequences inside each other; also stops a document that contains itself through an alias. */
export const YAML_DEPTH_MAX = 256;
/** Values after aliases are followed. */
export const YAML_VALUES_MAX = 2_000_000;
/** UTF-16 units of keys and texts after aliases are followed: what the same data would need as JSON, about. */
export const YAML_TEXT_LENGTH_MAX = 64 * 1024 * 1024;

/** See `ParseYamlDocuments`. */
export function parseYamlDocuments(text: string): unknown[] {
  const documents = parse(text.startsWith("\uFEFF") ? text.slice(1) : text);
  const budget = { values: YAML_VALUES_MAX, textLength: YAML_TEXT_LENGTH_MAX };
  for (const document of documents) checkValue(document, 0, budget);
  return documents;
}

/**
 * The runtime's parser gives an array for several documents and the bare value for one, so that one document holding
 * a sequence looks like several. A document put in front makes it always several.
 */
function parse(text: string): unknown[] {
  let value: unknown;
  try {
    value = parseOrIndent(`0\n...\n${text}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof RangeError) {
      throw new YamlError("too-deep", "Cannot read YAML: it is nested too deeply", {
        cause: error,
      });
    }
    if (reason.includes("Excessive aliasing")) {
      throw new YamlError("too-large", "Cannot read YAML: its aliases expand to too much", {
        cause: error,
      });
    }
    throw new YamlError("syntax", `Cannot read YAML: ${reason}`, { cause: error });
  }
  return Array.isArray(value) ? value.slice(1) : [];
}

function parseOrIndent(text: string): unknown {
  try {
    return Bun.YAML.parse(text);
  } catch (error) {
    const indented = error instanceof SyntaxError ? indentContinuations(text) : text;
    if (indented === text) throw error;
    try {
      return Bun.YAML.parse(indented);
    } catch {
      // What is wrong with the text as it was written is what its writer wants to hear.
      throw error;
    }
  }
}

interface Budget {
  values: number;
  textLength: number;
}

/** An alias is one value in memory and many when written out: counted here, before anyone writes it out. */
function checkValue(value: unknown, depth: number, budget: Budget): void {
  budget.values -= 1;
  if (typeof value === "string") budget.textLength -= value.length;
  if (budget.values < 0 || budget.textLength < 0) {
    throw new YamlError("too-large", "Cannot read YAML: its aliases expand to too much");
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new YamlError("no-json-value", `Cannot read YAML: ${value} has no form in JSON`);
  }
  if (typeof value !== "object" || value === null) return;
  if (depth >= YAML_DEPTH_MAX) {
    throw new YamlError("too-deep", "Cannot read YAML: it is nested too deeply");
  }
  if (Array.isArray(value)) {
    for (const item of value) checkValue(item, depth + 1, budget);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    budget.textLength -= key.length;
    checkValue(item, depth + 1, budget);
  }
}
