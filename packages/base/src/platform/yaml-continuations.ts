/**
 * Indents the lines on which a quoted scalar goes on. Common writers put them at the indentation of a list's dash; PyYAML and
 * Go's parsers take that, the runtime's refuses it. White space at the start of such a line has no meaning, so the values stay
 * the same. Meant for text that was refused as it stands.
 */
export function indentContinuations(text: string): string {
  let quote: string | undefined;
  let blockIndent: number | undefined;
  const lines = text.split("\n").map((line) => {
    if (quote !== undefined) {
      if (isClosed(line, quote)) quote = undefined;
      return line.trim() === "" ? line : `${CONTINUATION_INDENT}${line}`;
    }
    const indent = line.search(/\S/);
    if (blockIndent !== undefined && (indent < 0 || indent > blockIndent)) return line;
    blockIndent = /[|>][-+\d]*$/.test(line) ? indent : undefined;
    const match = /^\s*(?:- +)*(?:[^'"\s#][^:]*: +)?(['"])(.*)$/.exec(line);
    if (match !== null && !isClosed(match[2] ?? "", match[1] ?? "")) quote = match[1];
    return line;
  });
  return lines.join("\n");
}

const CONTINUATION_INDENT = "    ";

function isClosed(text: string, quote: string): boolean {
  const inner = quote === "'" ? /^(?:[^']|'')*'(?!')/ : /^(?:[^"\\]|\\.|\\$)*"/;
  return inner.test(text);
}
