import { Http1Error } from "./http1-error.ts";
import { listItems } from "./request-options.ts";
import type { RequestHead } from "./request-head.ts";

/** How the end of a body is known (RFC 9112 §6.3). */
export type BodyFraming =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly sizeBytes: number }
  | { readonly kind: "chunked" };

const NONE: BodyFraming = { kind: "none" };
const CHUNKED: BodyFraming = { kind: "chunked" };

/** Throws `Http1Error` where the end is not certain, 501 for codings that are not undone here. */
export function bodyFraming({ headers, version }: RequestHead): BodyFraming {
  const coding = headers["transfer-encoding"];
  const length = headers["content-length"];
  if (coding !== undefined) {
    if (length !== undefined || version === "1.0") throw uncertain();
    return checkCoding(coding);
  }
  if (length === undefined) return NONE;
  // Fifteen digits are below 2^53.
  if (!/^\d{1,15}$/.test(length)) throw uncertain();
  return { kind: "length", sizeBytes: Number(length) };
}

function checkCoding(text: string): BodyFraming {
  const codings = listItems(text);
  if (codings.length === 1 && codings[0] === "chunked") return CHUNKED;
  if (codings.at(-1) !== "chunked" && codings.includes("chunked")) throw uncertain();
  if (codings.filter((coding) => coding === "chunked").length > 1) throw uncertain();
  throw new Http1Error(501, "The one transfer coding that is understood is chunked");
}

function uncertain(): Http1Error {
  return new Http1Error(400, "The length of the body is not certain");
}
