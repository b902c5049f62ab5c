import { readFileSync } from "node:fs";
import { join } from "node:path";

export const SAMPLES_FOLDER = join(import.meta.dir, "kfp-samples");

/** Both documents of a sample in the form in which clients send them. */
export function readSample(name: string): unknown {
  const text = readFileSync(join(SAMPLES_FOLDER, name), "utf8");
  const parsed: unknown = Bun.YAML.parse(indentContinuations(text));
  if (!Array.isArray(parsed)) return parsed;
  const [pipelineSpec, platformSpec] = parsed as readonly unknown[];
  return platformSpec === undefined
    ? pipelineSpec
    : { pipeline_spec: pipelineSpec, platform_spec: platformSpec };
}

/**
 * Indents the continuation lines of quoted scalars. Common writers put them at the indentation of a list's dash, which
 * the parser used here refuses; white space at their start has no meaning, so the value stays the same.
 */
function indentContinuations(text: string): string {
  let quote: string | undefined;
  let blockIndent: number | undefined;
  const lines = text.split("\n").map((line) => {
    if (quote !== undefined) {
      if (isClosed(line, quote)) quote = undefined;
      return line.trim() === "" ? line : `    ${line}`;
    }
    const indent = line.search(/\S/);
    if (blockIndent !== undefined && (indent < 0 || indent > blockIndent)) return line;
    blockIndent = /[|>][-+\d]*$/.test(line) ? indent : undefined;
    const match = /^\s*(?:- +)*(?:[^'"\s#][^:]*: +)?(['"])(.*)$/.exec(line);
    if (match !== null && !isClosed(match[2] ?? "", match[1] ?? "")) quote = match[1];
    return line;
  });
  return lines.join("\n");
}

function isClosed(text: string, quote: string): boolean {
  const inner = quote === "'" ? /^(?:[^']|'')*'(?!')/ : /^(?:[^"\\]|\\.|\\$)*"/;
  return inner.test(text);
}
