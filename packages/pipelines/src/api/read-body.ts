import { collectBytes } from "@kelp/base";
import { ApiError } from "./errors.ts";

/** The whole body, or `ApiError` "too-large" as soon as it is known to pass the limit. */
export async function readBody(request: Request, limitBytes: number): Promise<Uint8Array> {
  const promisedBytes = Number(request.headers.get("content-length") ?? "0");
  const bytes =
    request.body === null
      ? new Uint8Array()
      : promisedBytes > limitBytes
        ? undefined
        : await collectBytes(request.body, limitBytes);
  if (bytes !== undefined) return bytes;
  throw new ApiError(
    "too-large",
    `Cannot read the request: its body has more than ${limitBytes} bytes`,
  );
}
