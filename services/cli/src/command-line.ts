/** What a command sees of the process that runs it. */
export interface CommandLine {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Relative paths are taken from here. */
  readonly currentFolder: string;
  /** A line of result, to standard output. */
  readonly out: (text: string) => void;
  /** A line about the work, to standard error. */
  readonly err: (text: string) => void;
  /** The status with which the program ends once the command returned; 0 unless said. */
  readonly exitWith: (code: number) => void;
}

/** The "Examples" section at the end of a command's help. */
export function examples(lines: readonly (readonly [command: string, meaning: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const rows = lines.map(([command, meaning]) => `  ${command.padEnd(width)}   ${meaning}`);
  return `\nExamples:\n${rows.join("\n")}`;
}
