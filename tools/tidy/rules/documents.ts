import { ROOMS } from "../rooms.ts";
import type { Rule, Violation } from "../rule.ts";
import type { SourceFile } from "../source-file.ts";

/** Every room has a page, and every error code a line in `docs/errors.md`. */
export const documentsRule: Rule = {
  name: "documents",
  check: (files) => [...roomPages(files), ...errorCodes(files)],
};

function roomPages(files: readonly SourceFile[]): Violation[] {
  const paths = new Set(files.map((file) => file.path));
  const rooms = ROOMS.filter((room) => paths.has(`packages/${room.name}/package.json`));
  return rooms
    .filter((room) => !paths.has(`packages/${room.name}/README.md`))
    .map((room) => ({
      path: `packages/${room.name}`,
      line: 0,
      message: "no README.md: what the room is, its main operation, invariants, limits",
    }));
}

const ERRORS_PAGE = "docs/errors.md";

function errorCodes(files: readonly SourceFile[]): Violation[] {
  const page = files.find((file) => file.path === ERRORS_PAGE)?.text ?? "";
  const violations: Violation[] = [];
  for (const file of files) {
    if (!/^packages\/[^/]+\/src\/(?:.*\/)?errors\.ts$/.test(file.path)) continue;
    for (const code of codesOf(file)) {
      if (page.includes(`\`${code}\``)) continue;
      violations.push({ path: file.path, line: 0, message: `${code} is not in ${ERRORS_PAGE}` });
    }
  }
  return violations;
}

/** Members of `type …Code = "a" | "b"` and keys of a catalogue `const CATALOGUE = { … }`. */
export function codesOf(file: SourceFile): string[] {
  const codes: string[] = [];
  for (const match of file.code.matchAll(/\btype\s+\w*Code\s*=([^;]*);/g)) {
    for (const [, code = ""] of (match[1] ?? "").matchAll(/"([^"]+)"/g)) codes.push(code);
  }
  const catalogue = /\bconst\s+[A-Z_]+\s*=\s*\{([\s\S]*?)\n\}/.exec(file.bare);
  if (catalogue !== null) {
    for (const [, code = ""] of (catalogue[1] ?? "").matchAll(/^ {2}(\w+):\s*\[/gm)) {
      codes.push(code);
    }
  }
  return codes;
}
