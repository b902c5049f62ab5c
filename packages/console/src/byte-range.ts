import type { ByteRange } from "@kelp/wire";

export type RangeRequest =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly range: ByteRange }
  | { readonly kind: "unsatisfiable" };

/**
 * Reads a `Range` header against a content of `sizeBytes` (RFC 9110 section 14.2). Several ranges, other units and
 * broken texts are ignored, which the RFC permits: the answer is then the whole content.
 */
export function parseRange(header: string | undefined, sizeBytes: number): RangeRequest {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  const [, firstText, lastText] = match ?? [];
  if (firstText === undefined || lastText === undefined) return { kind: "whole" };
  if (firstText === "") return suffixRange(lastText, sizeBytes);
  const first = Number(firstText);
  const last = lastText === "" ? Number.MAX_SAFE_INTEGER : Number(lastText);
  if (last < first) return { kind: "whole" };
  if (first >= sizeBytes) return { kind: "unsatisfiable" };
  return { kind: "part", range: { start: first, end: Math.min(last + 1, sizeBytes) } };
}

function suffixRange(lengthText: string, sizeBytes: number): RangeRequest {
  if (lengthText === "") return { kind: "whole" };
  const length = Number(lengthText);
  if (length === 0 || sizeBytes === 0) return { kind: "unsatisfiable" };
  return { kind: "part", range: { start: Math.max(0, sizeBytes - length), end: sizeBytes } };
}
