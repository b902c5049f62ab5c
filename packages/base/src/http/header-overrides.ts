import { encodeHeaderText, isHeaderSafe } from "./headers.ts";
import { HttpError } from "./http-error.ts";
import type { HttpRequest } from "./http-request.ts";
import type { ReplyHeaders } from "./reply.ts";

const OVERRIDES = [
  "Cache-Control",
  "Content-Disposition",
  "Content-Encoding",
  "Content-Language",
  "Content-Type",
  "Expires",
] as const;

/** Headers of an answer that its reader chose, by `response-…` in the query. Throws `HttpError` 400. */
export function overrideHeaders(request: HttpRequest, headers: ReplyHeaders): void {
  if (request.rawQuery === "") return;
  for (const name of OVERRIDES) {
    const parameter = `response-${name.toLowerCase()}`;
    const value = request.query.text(parameter);
    if (value === undefined) continue;
    if (!isHeaderSafe(value)) throw new HttpError(400, `${parameter} cannot be sent`);
    headers[name] = encodeHeaderText(value);
  }
}
