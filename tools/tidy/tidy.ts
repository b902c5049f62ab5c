import type { Rule, Violation } from "./rule.ts";
import { documentsRule } from "./rules/documents.ts";
import { exportsRule } from "./rules/exports.ts";
import { globalsRule } from "./rules/globals.ts";
import { manifestsRule } from "./rules/manifests.ts";
import { textRule } from "./rules/text.ts";
import { wallsRule } from "./rules/walls.ts";
import type { SourceFile } from "./source-file.ts";

/** The style, as far as a machine can see it. Every rule has a planted violation in `rules/*.test.ts`. */
export const RULES: readonly Rule[] = [
  wallsRule,
  globalsRule,
  exportsRule,
  manifestsRule,
  textRule,
  documentsRule,
];

/** One line per violation, as `path:line: what (rule)`. */
export function describe(rule: Rule, violation: Violation): string {
  const place = violation.line === 0 ? violation.path : `${violation.path}:${violation.line}`;
  return `${place}: ${violation.message} (${rule.name})`;
}

export function violationsOf(rule: Rule, files: readonly SourceFile[]): string[] {
  return rule.check(files).map((violation) => describe(rule, violation));
}
