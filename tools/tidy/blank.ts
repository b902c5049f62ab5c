/**
 * Just enough of a scanner to tell code from comments and strings. It knows line and block comments, the three kinds
 * of strings with escapes, code inside template strings, and regular expressions by what stands before them.
 * Replaced characters become spaces; line breaks stay, so offsets and lines are kept.
 */

type Piece = "comment" | "text" | "regex";

/** Comments become spaces. */
export function blankComments(source: string): string {
  return blank(source, (piece) => piece === "comment");
}

/** What stands in strings and regular expressions becomes spaces; their quotes stay. */
export function blankStrings(source: string): string {
  return blank(source, (piece) => piece !== "comment");
}

function blank(source: string, isBlanked: (piece: Piece) => boolean): string {
  const out = [...splitUnits(source)];
  const mark = (piece: Piece, start: number, end: number): void => {
    if (!isBlanked(piece)) return;
    for (let index = start; index < end; index++) if (out[index] !== "\n") out[index] = " ";
  };
  scan(source, mark);
  return out.join("");
}

/** UTF-16 units, not code points: offsets must agree with those of regular expressions. */
function splitUnits(source: string): string[] {
  return source.split("");
}

function scan(source: string, mark: (piece: Piece, start: number, end: number) => void): void {
  /** Depth of braces at which an open template string goes on. */
  const templates: number[] = [];
  let depth = 0;
  let index = 0;
  let last = "";

  const templateEnd = (start: number): number => {
    let at = start;
    while (at < source.length) {
      if (source[at] === "\\") at += 2;
      else if (source[at] === "`") return at;
      else if (source[at] === "$" && source[at + 1] === "{") return at;
      else at += 1;
    }
    return at;
  };
  const takeTemplate = (start: number): void => {
    const end = templateEnd(start);
    mark("text", start, end);
    if (source[end] === "$") {
      templates.push(depth);
      depth += 1;
      index = end + 2;
      last = "{";
    } else {
      index = end + 1;
      last = "`";
    }
  };

  while (index < source.length) {
    const char = source[index] ?? "";
    const next = source[index + 1] ?? "";
    if (char === "/" && next === "/") {
      const end = endOrLength(source, source.indexOf("\n", index));
      mark("comment", index, end);
      index = end;
    } else if (char === "/" && next === "*") {
      const close = source.indexOf("*/", index + 2);
      const end = close === -1 ? source.length : close + 2;
      mark("comment", index, end);
      index = end;
    } else if (char === '"' || char === "'") {
      const end = quotedEnd(source, index + 1, char);
      mark("text", index + 1, end);
      index = end + 1;
      last = char;
    } else if (char === "`") {
      takeTemplate(index + 1);
    } else if (char === "/" && startsRegex(source, index, last)) {
      const end = regexEnd(source, index + 1);
      mark("regex", index + 1, end);
      index = end + 1;
      last = "/";
    } else {
      if (char === "{") depth += 1;
      if (char === "}") {
        depth -= 1;
        if (templates.at(-1) === depth) {
          templates.pop();
          takeTemplate(index + 1);
          continue;
        }
      }
      if (char.trim() !== "") last = char;
      index += 1;
    }
  }
}

function endOrLength(source: string, found: number): number {
  return found === -1 ? source.length : found;
}

function quotedEnd(source: string, start: number, quote: string): number {
  let at = start;
  while (at < source.length && source[at] !== quote && source[at] !== "\n") {
    at += source[at] === "\\" ? 2 : 1;
  }
  return at;
}

/** A slash begins an expression where a value may stand, and divides where one has just ended. */
function startsRegex(source: string, index: number, last: string): boolean {
  if (last === "" || "(,=:[!&|?{};+-*%~^<>".includes(last)) {
    // `</tag>` and `/>` of JSX are no expressions.
    return last !== "<" && source[index + 1] !== ">";
  }
  return /\b(?:return|typeof|case|of|in|yield|await)\s*$/.test(
    source.slice(Math.max(0, index - 12), index),
  );
}

function regexEnd(source: string, start: number): number {
  let isInClass = false;
  let at = start;
  while (at < source.length && source[at] !== "\n") {
    const char = source[at];
    if (char === "\\") at += 1;
    else if (char === "[") isInClass = true;
    else if (char === "]") isInClass = false;
    else if (char === "/" && !isInClass) return at;
    at += 1;
  }
  return at;
}
