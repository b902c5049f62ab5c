import { Http1Error } from "./http1-error.ts";
import type { RequestHead } from "./request-head.ts";

/** Whether the client means to send another request over the same connection (RFC 9112 §9.3). */
export function keepsAlive({ headers, version }: RequestHead): boolean {
  const options = headers["connection"];
  if (options === undefined) return version === "1.1";
  const names = listItems(options);
  if (names.includes("close")) return false;
  return version === "1.1" || names.includes("keep-alive");
}

/** Whether the client waits for `100 Continue` before it sends its body. Throws `Http1Error` 417 for other expectations. */
export function isContinueExpected({ headers, version }: RequestHead): boolean {
  const expected = headers["expect"];
  if (expected === undefined || version === "1.0") return false;
  if (expected.toLowerCase() !== "100-continue") {
    throw new Http1Error(417, "The one expectation that is met is 100-continue");
  }
  return true;
}

/** What commas separate, in lower case. Only blanks and tabs around it are none of it (RFC 9110 §5.6.3). */
export function listItems(value: string): string[] {
  return value.toLowerCase().split(/[ \t]*,[ \t]*/);
}
