import { type SourceFile, lineAt } from "./source-file.ts";

export interface ImportLine {
  readonly specifier: string;
  readonly line: number;
  readonly isTypeOnly: boolean;
}

/** What a file imports: `import … from`, `export … from`, `import "…"` and `import("…")`. */
export function importsOf(file: SourceFile): ImportLine[] {
  const found: ImportLine[] = [];
  // On bare code a specifier is a pair of quotes with spaces between: it is read from the code at the same offsets.
  const pattern =
    /(?:(?<![.\w])(?:import|export)\b[^;()=]*?\bfrom\s*|(?<![.\w])import\s*\(?\s*)(["'])( *)\1/g;
  for (const match of file.bare.matchAll(pattern)) {
    const [whole, , inner = ""] = match;
    const end = match.index + whole.length - 1;
    found.push({
      specifier: file.code.slice(end - inner.length, end),
      line: lineAt(file, end),
      isTypeOnly: /^(?:import|export)\s+type\b/.test(whole),
    });
  }
  return found;
}
