import { ShellError } from "./errors.ts";

/**
 * Cuts a line into commands and words as a shell does: spaces separate, `;` ends a command, `#` at the start of a
 * word begins a comment, quotes and backslashes keep. Nothing is expanded. Throws `ShellError` `usage` for a quote
 * that is not closed.
 */
export function splitCommands(line: string): readonly (readonly string[])[] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else if (character === "\\" && quote === '"' && isEscapable(line.charAt(at + 1))) {
        at += 1;
        word = (word ?? "") + line.charAt(at);
      } else word = (word ?? "") + character;
      continue;
    }
    if (character === "#" && word === undefined) break;
    if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (character === "\\" && at + 1 < line.length) {
      at += 1;
      word = (word ?? "") + line.charAt(at);
    } else if (/[\s;]/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      if (character === ";") {
        if (words.length > 0) commands.push(words);
        words = [];
      }
    } else word = (word ?? "") + character;
  }
  if (quote !== undefined) throw new ShellError("usage", `The quote ${quote} is not closed`);
  if (word !== undefined) words.push(word);
  if (words.length > 0) commands.push(words);
  return commands;
}

function isEscapable(character: string): boolean {
  return character === '"' || character === "\\";
}
