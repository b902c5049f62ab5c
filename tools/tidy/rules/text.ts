import { type Rule, type Violation, eachFile } from "../rule.ts";
import { type SourceFile, isForTests, isTypeScript, lineAt } from "../source-file.ts";

/** Longer files hold more than one idea. The style asks for less; this is where it ends. */
const LINES_MAX = 600;
/** Tests are lists of claims: longer before they are too long. */
const TEST_LINES_MAX = 800;

/** Size, paths of one machine, and promises without a decision behind them. */
export const textRule: Rule = {
  name: "text",
  check: (files) => eachFile(files, checkFile),
};

function checkFile(file: SourceFile): Violation[] {
  const violations: Violation[] = [];
  const add = (offset: number, message: string): void => {
    violations.push({ path: file.path, line: lineAt(file, offset), message });
  };
  const lineCount = file.text.split("\n").length - 1;
  const lineCountMax = isForTests(file) ? TEST_LINES_MAX : LINES_MAX;
  if (isTypeScript(file) && lineCount > lineCountMax) {
    const message = `${lineCount} lines, at most ${lineCountMax}: give each idea a file of its own`;
    violations.push({ path: file.path, line: 0, message });
  }
  for (const match of file.text.matchAll(/(?<![\w./-])\/(?:home|Users|root|work)\/[\w.-]+/g)) {
    add(match.index, `${match[0]} is a path of one machine`);
  }
  for (const match of file.text.matchAll(/\b(?:TODO|FIXME|XXX|HACK)\b(?!\(\d{4}\))/g)) {
    const isComment = file.code[match.index] === " ";
    if (isTypeScript(file) && isComment) {
      add(
        match.index,
        `${match[0]} without a decision: write TODO(NNNN) with its number, or do it`,
      );
    }
  }
  return violations;
}
