/**
 * The order of paths: bytes of UTF-8, which is the order of code points. JavaScript compares UTF-16 units instead,
 * and differs where an astral character (stored as surrogates, D800…DFFF) meets U+E000…U+FFFF.
 */

const SURROGATE_FIRST = 0xd800;
const SURROGATE_LAST = 0xdfff;
const CODE_POINT_MAX = 0x10ffff;

/** Negative, zero or positive, as memcmp of the two texts in UTF-8. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Moves the surrogates above all other units: the units then order as their code points do. */
function rank(unit: number): number {
  return unit >= SURROGATE_FIRST && unit <= SURROGATE_LAST ? unit + 0x10000 : unit;
}

/** The smallest text above every text that starts with `prefix`; `undefined` when there is none, as for "". */
export function textAfterPrefix(prefix: string): string | undefined {
  let end = prefix.length;
  while (end > 0) {
    const start = end - (isLowSurrogate(prefix.charCodeAt(end - 1)) && end > 1 ? 2 : 1);
    const point = prefix.codePointAt(start) ?? CODE_POINT_MAX;
    if (point < CODE_POINT_MAX) {
      const next = point + 1;
      // Surrogates are no characters: the one after U+D7FF is U+E000.
      const character = next === SURROGATE_FIRST ? SURROGATE_LAST + 1 : next;
      return prefix.slice(0, start) + String.fromCodePoint(character);
    }
    end = start;
  }
  return undefined;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= SURROGATE_LAST;
}
