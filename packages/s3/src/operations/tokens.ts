import type { Hashes } from "@kelp/base";
import { S3Error } from "../errors.ts";

/**
 * Continuation tokens: the text after which a listing goes on, opaque to clients. Four bytes of CRC-32C before it tell
 * a token of ours from garbage; they protect from mistakes, and nothing needs protection from more than that.
 */

const CHECK_BYTES = 4;

export function encodeToken(after: string, hashes: Hashes): string {
  const text = Buffer.from(after, "utf8");
  const token = Buffer.allocUnsafe(CHECK_BYTES + text.length);
  token.writeUInt32BE(hashes.crc32c(text));
  text.copy(token, CHECK_BYTES);
  return token.toString("base64url");
}

/** Throws `InvalidArgument` for anything that `encodeToken` did not make. */
export function decodeToken(token: string, hashes: Hashes): string {
  const bytes = Buffer.from(token, "base64url");
  const text = bytes.subarray(CHECK_BYTES);
  if (
    bytes.length < CHECK_BYTES ||
    bytes.toString("base64url") !== token ||
    bytes.readUInt32BE(0) !== hashes.crc32c(text)
  ) {
    throw new S3Error("InvalidArgument", "The continuation token provided is incorrect", {
      details: { ArgumentName: "continuation-token" },
    });
  }
  return text.toString("utf8");
}
