import type { SourceFile } from "./source-file.ts";

export interface Violation {
  readonly path: string;
  /** From 1; 0 when the whole file or folder is meant. */
  readonly line: number;
  readonly message: string;
}

/** A rule looks at all files, since some say what must exist. */
export interface Rule {
  readonly name: string;
  readonly check: (files: readonly SourceFile[]) => Violation[];
}

/** A rule about each file by itself. */
export function eachFile(
  files: readonly SourceFile[],
  check: (file: SourceFile) => Violation[],
): Violation[] {
  return files.flatMap((file) => check(file));
}
