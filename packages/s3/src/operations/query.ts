import type { S3Request } from "../request.ts";
import { S3Error } from "../errors.ts";

/** The first value of a query parameter; `undefined` when it is not there. */
export function queryValue(request: S3Request, name: string): string | undefined {
  for (const pair of request.query) if (pair[0] === name) return pair[1];
  return undefined;
}

export function hasQuery(request: S3Request, name: string): boolean {
  return queryValue(request, name) !== undefined;
}

/** A limit such as `max-keys`: absent or empty is `max`, more than `max` is cut to it. Throws `InvalidArgument`. */
export function queryLimit(request: S3Request, name: string, max: number, min = 0): number {
  const text = queryValue(request, name);
  if (text === undefined || text === "") return max;
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value < min || value > 0x7fff_ffff) {
    throw invalidArgument(name, text, "is not a number in its range");
  }
  return Math.min(value, max);
}

/** `encoding-type`: whether keys in the answer are percent-encoded. Throws `InvalidArgument`. */
export function wantsUrlEncoding(request: S3Request): boolean {
  const text = queryValue(request, "encoding-type");
  if (text === undefined || text === "") return false;
  if (text.toLowerCase() === "url") return true;
  throw invalidArgument("encoding-type", text, "must be url");
}

/** A part number of the query, 1 … `PART_NUMBER_MAX`. Throws `InvalidArgument`. */
export function invalidArgument(name: string, value: string, problem: string): S3Error {
  return new S3Error("InvalidArgument", `Invalid argument: ${name} ${problem}`, {
    details: { ArgumentName: name, ArgumentValue: value },
  });
}
