import { collectBytes, utf8Text } from "@kelp/base";
import type { z } from "zod";
import { ConsoleError } from "./errors.ts";

/** Every JSON body of this door is a handful of short fields. */
export const JSON_BODY_BYTES_MAX = 64 * 1024;

/**
 * The body as `schema` says. Only `application/json` is taken: a form on a foreign page cannot send that
 * without asking the browser first. An absent body counts as `{}` for schemas whose fields are all optional.
 */
export async function readJson<Value>(request: Request, schema: z.ZodType<Value>): Promise<Value> {
  const bytes = await readBytes(request);
  const type = request.headers.get("content-type") ?? "";
  if (bytes.length > 0 && !/^application\/json\s*(;|$)/i.test(type)) {
    throw new ConsoleError("bad-request", "The body must be application/json");
  }
  const parsed = schema.safeParse(bytes.length === 0 ? {} : parseJson(utf8Text(bytes)));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue === undefined ? "" : issue.path.join(".");
  throw new ConsoleError(
    "bad-request",
    `The body is not as expected${place === "" ? "" : ` at ${place}`}: ${issue?.message ?? "unknown"}`,
  );
}

async function readBytes(request: Request): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array(0);
  const bytes = await collectBytes(request.body, JSON_BODY_BYTES_MAX);
  if (bytes === undefined) {
    throw new ConsoleError("too-large", `The body is over ${JSON_BODY_BYTES_MAX} bytes`);
  }
  return bytes;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConsoleError("bad-request", "The body is not JSON", { cause: error });
  }
}
