import { RANGES_MAX } from "./limits.ts";

/** What a `Range` header asks of an object of a known size. */
export type RangeDecision =
  | { readonly kind: "whole" }
  /** Half open, not empty. */
  | { readonly kind: "range"; readonly start: number; readonly end: number }
  | { readonly kind: "unsatisfiable" };

const WHOLE = { kind: "whole" } as const;
const UNSATISFIABLE = { kind: "unsatisfiable" } as const;

/**
 * One byte range (RFC 9110 §14.1). A header that is no byte range, or asks for several, gives the whole object,
 * which the RFC allows and S3 does.
 */
export function decideRange(header: string | undefined, sizeBytes: number): RangeDecision {
  if (header === undefined) return WHOLE;
  const match = /^bytes[ \t]*=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header);
  const [, firstText = "", lastText = ""] = match ?? [];
  if (firstText === "" && lastText === "") return WHOLE;
  if (firstText === "") return decideSuffix(Number(lastText), sizeBytes);
  const first = Number(firstText);
  const last = lastText === "" ? Infinity : Number(lastText);
  if (last < first) return WHOLE;
  if (first >= sizeBytes) return UNSATISFIABLE;
  return { kind: "range", start: first, end: Math.min(last + 1, sizeBytes) };
}

function decideSuffix(lengthBytes: number, sizeBytes: number): RangeDecision {
  if (lengthBytes === 0 || sizeBytes === 0) return UNSATISFIABLE;
  return { kind: "range", start: Math.max(0, sizeBytes - lengthBytes), end: sizeBytes };
}

export interface SatisfiedRange {
  readonly start: number;
  readonly end: number;
}

export type RangesDecision =
  | { readonly kind: "whole" }
  /** One or more, in the order of the request. */
  | { readonly kind: "ranges"; readonly ranges: readonly SatisfiedRange[] }
  | { readonly kind: "unsatisfiable" };

/**
 * One or several byte ranges. Those that lie outside are left out while one is inside. A header that is no byte range,
 * that asks for more than `RANGES_MAX`, or for more bytes than there are, gives the whole (RFC 9110 §14.2).
 */
export function decideRanges(header: string | undefined, sizeBytes: number): RangesDecision {
  if (header === undefined) return WHOLE;
  const match = /^bytes[ \t]*=(.*)$/i.exec(header);
  if (match?.[1] === undefined) return WHOLE;
  const specs = match[1].split(",").filter((spec) => spec.trim() !== "");
  if (specs.length === 0 || specs.length > RANGES_MAX) return WHOLE;
  const ranges: SatisfiedRange[] = [];
  let totalBytes = 0;
  for (const spec of specs) {
    const decision = decideRange(`bytes=${spec.trim()}`, sizeBytes);
    if (decision.kind === "whole") return WHOLE;
    if (decision.kind === "unsatisfiable") continue;
    ranges.push(decision);
    totalBytes += decision.end - decision.start;
  }
  if (ranges.length === 0) return UNSATISFIABLE;
  return ranges.length > 1 && totalBytes > sizeBytes ? WHOLE : { kind: "ranges", ranges };
}
