/** What a `Range` header asks of an object of a known size. */
export type RangeDecision =
  | { readonly kind: "whole" }
  /** Half open, not empty. */
  | { readonly kind: "range"; readonly start: number; readonly end: number }
  | { readonly kind: "unsatisfiable" };

const WHOLE: RangeDecision = { kind: "whole" };
const UNSATISFIABLE: RangeDecision = { kind: "unsatisfiable" };

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
  const last = lastText === "" ? Number.MAX_SAFE_INTEGER : Number(lastText);
  if (last < first) return WHOLE;
  if (first >= sizeBytes) return UNSATISFIABLE;
  return { kind: "range", start: first, end: Math.min(last + 1, sizeBytes) };
}

function decideSuffix(lengthBytes: number, sizeBytes: number): RangeDecision {
  if (lengthBytes === 0 || sizeBytes === 0) return UNSATISFIABLE;
  return { kind: "range", start: Math.max(0, sizeBytes - lengthBytes), end: sizeBytes };
}

/** `x-amz-copy-source-range`: strictly `bytes=first-last`, inside the source. `undefined` when it is not that. */
export function parseCopyRange(
  header: string,
  sizeBytes: number,
): { readonly start: number; readonly end: number } | undefined {
  const match = /^bytes=(\d{1,16})-(\d{1,16})$/.exec(header);
  const [, firstText, lastText] = match ?? [];
  if (firstText === undefined || lastText === undefined) return undefined;
  const first = Number(firstText);
  const last = Number(lastText);
  if (last < first || last >= sizeBytes) return undefined;
  return { start: first, end: last + 1 };
}
