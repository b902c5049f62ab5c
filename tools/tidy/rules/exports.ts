import { type Rule, type Violation, eachFile } from "../rule.ts";
import { type SourceFile, isTypeScript, lineAt } from "../source-file.ts";

/** Tools that read a default export and nothing else. */
const DEFAULT_EXPORT_HOMES = /(?:^|\/)(?:vite|knip|playwright)\.config\.ts$/;

/** Messages are types and nothing else: the folder is their list. */
const TYPE_BARRELS = new Set(["packages/wire/src/management/index.ts"]);

/** Names are exported one by one, so that a door can be read and a name found. */
export const exportsRule: Rule = {
  name: "exports",
  check: (files) => eachFile(files.filter(isTypeScript), checkFile),
};

function checkFile(file: SourceFile): Violation[] {
  const violations: Violation[] = [];
  const add = (pattern: RegExp, message: string): void => {
    for (const match of file.bare.matchAll(pattern)) {
      violations.push({ path: file.path, line: lineAt(file, match.index), message });
    }
  };
  const star = TYPE_BARRELS.has(file.path) ? /\bexport\s+\*/g : /\bexport\s+(?:type\s+)?\*/g;
  add(star, "export * hides what a door offers: name each export");
  if (!DEFAULT_EXPORT_HOMES.test(file.path)) {
    add(/\bexport\s+default\b|\bas\s+default\b/g, "default exports have no name: export by name");
  }
  return violations;
}
