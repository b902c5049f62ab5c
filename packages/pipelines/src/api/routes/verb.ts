import { ApiError } from "../errors.ts";

/** Splits `<id>:<verb>`, the last segment of a custom method's path. */
export function splitVerb(target: string): { readonly id: string; readonly verb: string } {
  const at = target.lastIndexOf(":");
  return at < 0
    ? { id: target, verb: "" }
    : { id: target.slice(0, at), verb: target.slice(at + 1) };
}

export function verbNotFound(verb: string): ApiError {
  return new ApiError(
    "not-found",
    `Cannot answer: there is no method ${JSON.stringify(verb)} here`,
  );
}
