import { unreachable } from "@kelp/base";

/**
 * Wildcard patterns of policies: `*` is any text, also none and also with slashes; `?` is exactly one character.
 * All else stands for itself. Most patterns are exact or end in their only star, so those get a form of their own.
 */
export type Pattern =
  | { readonly kind: "any" }
  | { readonly kind: "exact"; readonly text: string }
  | { readonly kind: "prefix"; readonly text: string }
  | { readonly kind: "glob"; readonly text: string };

export function compilePattern(text: string): Pattern {
  if (text === "*") return { kind: "any" };
  const star = text.indexOf("*");
  const hasMark = text.includes("?");
  if (star < 0 && !hasMark) return { kind: "exact", text };
  if (star === text.length - 1 && !hasMark) return { kind: "prefix", text: text.slice(0, -1) };
  return { kind: "glob", text };
}

/** True when the whole of `text` fits. `text` is taken literally: stars in it are characters. */
export function matchesPattern(pattern: Pattern, text: string): boolean {
  switch (pattern.kind) {
    case "any":
      return true;
    case "exact":
      return pattern.text === text;
    case "prefix":
      return text.startsWith(pattern.text);
    case "glob":
      return matchesGlob(pattern.text, text);
    default:
      return unreachable(pattern);
  }
}

/**
 * True when every text that begins with `prefix` fits. A pattern that ends in a star and fits the prefix fits all that follows; one
 * that does not is taken for too narrow, even where it names every single character.
 */
export function coversPrefix(pattern: Pattern, prefix: string): boolean {
  switch (pattern.kind) {
    case "any":
      return true;
    case "exact":
      return false;
    case "prefix":
      return prefix.startsWith(pattern.text);
    case "glob":
      return pattern.text.endsWith("*") && matchesGlob(pattern.text, prefix);
    default:
      return unreachable(pattern);
  }
}

/** True when any text that begins with `prefix` fits. */
export function touchesPrefix(pattern: Pattern, prefix: string): boolean {
  switch (pattern.kind) {
    case "any":
      return true;
    case "exact":
      return pattern.text.startsWith(prefix);
    case "prefix":
      return pattern.text.startsWith(prefix) || prefix.startsWith(pattern.text);
    case "glob":
      return globTouches(pattern.text, prefix);
    default:
      return unreachable(pattern);
  }
}

/**
 * Some head of the pattern fits the whole prefix: its rest then fits some continuation. Up to the first star the two are compared
 * character by character; from a star on anything may follow.
 */
function globTouches(pattern: string, prefix: string): boolean {
  let inPrefix = 0;
  for (let inPattern = 0; inPrefix < prefix.length; inPattern += 1) {
    const wanted = pattern.charCodeAt(inPattern);
    if (wanted === STAR) return true;
    if (wanted === QUESTION_MARK) inPrefix += characterLength(prefix, inPrefix);
    else if (wanted === prefix.charCodeAt(inPrefix)) inPrefix += 1;
    else return false;
  }
  return true;
}

/** Greedy with one step back to the last star: at most pattern length × text length steps, no recursion. */
function matchesGlob(pattern: string, text: string): boolean {
  let inPattern = 0;
  let inText = 0;
  let star = -1;
  let retryAt = 0;
  while (inText < text.length) {
    const wanted = pattern.charCodeAt(inPattern);
    if (wanted === STAR) {
      star = inPattern;
      retryAt = inText;
      inPattern += 1;
    } else if (wanted === QUESTION_MARK) {
      inPattern += 1;
      inText += characterLength(text, inText);
    } else if (wanted === text.charCodeAt(inText)) {
      inPattern += 1;
      inText += 1;
    } else if (star >= 0) {
      inPattern = star + 1;
      retryAt += 1;
      inText = retryAt;
    } else {
      return false;
    }
  }
  while (pattern.charCodeAt(inPattern) === STAR) inPattern += 1;
  return inPattern === pattern.length;
}

const STAR = 0x2a;
const QUESTION_MARK = 0x3f;

/** 2 for a surrogate pair, which is one character to whoever wrote the pattern. */
function characterLength(text: string, at: number): 1 | 2 {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}
