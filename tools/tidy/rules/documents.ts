import { ROOMS } from "../rooms.ts";
import type { Rule, Violation } from "../rule.ts";
import { type SourceFile, roomOf } from "../source-file.ts";

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
    if (!/^(?:packages|services)\/[^/]+\/src\/(?:.*\/)?errors\.ts$/.test(file.path)) continue;
    const room = roomOf(file.path) ?? "";
    const section = sectionOf(page, room);
    for (const code of codesOf(file)) {
      if (section.includes(`\`${code}\``)) continue;
      const message = `${code} is not under "## ${room}" in ${ERRORS_PAGE}`;
      violations.push({ path: file.path, line: 0, message });
    }
  }
  return violations;
}

/** From the heading to the next of the same level. */
function sectionOf(page: string, room: string): string {
  return page.split(/^## /m).find((section) => section.startsWith(`${room}\n`)) ?? "";
}

/** Members of `type …Code = "a" | "b"`, and keys of a catalogue `const SOME_NAME = { … }`. */
export function codesOf(file: SourceFile): string[] {
  const codes: string[] = [];
  for (const match of file.code.matchAll(/\btype\s+\w*Code\s*=([^;]*);/g)) {
    for (const [, code = ""] of (match[1] ?? "").matchAll(/"([^"]+)"/g)) codes.push(code);
  }
  const isListed = codes.length > 0;
  const catalogue = /\bconst\s+[A-Z_]+\s*=\s*\{([\s\S]*?)\n\}/.exec(file.code);
  if (catalogue !== null && !isListed) {
    for (const [, code = ""] of (catalogue[1] ?? "").matchAll(/^ {2}"?([\w-]+)"?:/gm)) {
      codes.push(code);
    }
  }
  return codes;
}
