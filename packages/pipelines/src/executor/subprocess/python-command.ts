/** What the compiled command of a lightweight Python step installs before it runs. */
export interface PythonCommand {
  /** Requirements as written, options such as `--index-url X` included. */
  readonly requirements: readonly string[];
  /** Other words given to pip, such as `--index-url` and its value. */
  readonly pipOptions: readonly string[];
  /** The command without the installing layer. */
  readonly command: readonly string[];
}

/**
 * Recognises the installing layer that the compiler puts around a Python step, `sh -c "<pip install …> && $0 $@" …`,
 * and takes it off, so that packages come from a prepared environment instead of a slow `pip` in front of every step.
 * `undefined` for everything else, which then runs exactly as written.
 */
export function parsePythonCommand(command: readonly string[]): PythonCommand | undefined {
  const [shell, flag, script, ...rest] = command;
  if (shell !== "sh" || flag !== "-c" || script === undefined || rest.length === 0)
    return undefined;
  if (!/pip install[^\n]*&& *"\$0" "\$@"\s*$/.test(script)) return undefined;
  // A layer that builds a virtual environment itself, or changes the folder, does more than install.
  if (/-m venv|\bcd\b/.test(script)) return undefined;
  const requirements: string[] = [];
  const pipOptions: string[] = [];
  for (const line of script.split("&&")) {
    const match = /python3 -m pip install\s+([\s\S]*)$/.exec(line);
    if (match === null) continue;
    const words = shellWords(match[1] ?? "");
    if (words === undefined) return undefined;
    sortWords(words, requirements, pipOptions);
  }
  return requirements.length === 0 ? undefined : { requirements, pipOptions, command: rest };
}

const FLAGS_WITHOUT_MEANING = new Set(["--quiet", "--no-warn-script-location", "--no-deps", "-q"]);
const OPTIONS_WITH_VALUE = new Set([
  "--index-url",
  "-i",
  "--extra-index-url",
  "--trusted-host",
  "--find-links",
  "-f",
]);

function sortWords(words: readonly string[], requirements: string[], pipOptions: string[]): void {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (FLAGS_WITHOUT_MEANING.has(word)) continue;
    if (OPTIONS_WITH_VALUE.has(word)) {
      at++;
      pipOptions.push(word, words[at] ?? "");
    } else if (word.startsWith("-")) pipOptions.push(word);
    else requirements.push(word);
  }
}

/** Words of a shell command, quotes taken off; `undefined` when it holds anything that only a shell can work out. */
export function shellWords(text: string): readonly string[] | undefined {
  const words: string[] = [];
  const pattern = /\s+|((?:'[^']*'|"(?:[^"\\$`]|\\.)*"|\\.|[^\s'"\\$`;|&()<>])+)/gy;
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    end = match.index + match[0].length;
    if (match[1] !== undefined) words.push(unquoted(match[1]));
  }
  return end === text.length ? words : undefined;
}

function unquoted(word: string): string {
  return word.replaceAll(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g,
    (_whole, single, double, escaped) => {
      if (typeof single === "string") return single;
      if (typeof double === "string") return double.replaceAll(/\\(["\\$`])/g, "$1");
      return String(escaped);
    },
  );
}
