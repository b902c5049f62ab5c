import { type Hashes, EMPTY_BYTES, hex, joinBytes, utf8 } from "@kelp/base";
import type { ChunkSignerSeed } from "../auth/chunk-signer.ts";

/** Makings of this folder's tests: `aws-chunked` bodies as clients write them, independent of the decoder. */

export function unsignedFrames(
  frames: readonly Uint8Array[],
  trailers: readonly string[],
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const frame of frames) {
    parts.push(utf8(`${frame.length.toString(16)}\r\n`), frame, utf8("\r\n"));
  }
  parts.push(utf8(`0\r\n${trailers.map((line) => `${line}\r\n`).join("")}\r\n`));
  return joinBytes(parts);
}

/** `trailers` are `name:value` lines; with any, their signature follows. */
export function signedFrames(
  frames: readonly Uint8Array[],
  trailers: readonly string[] | undefined,
  seed: ChunkSignerSeed,
  hashes: Hashes,
): Uint8Array {
  let previous = seed.signatureHex;
  const sign = (kind: string, lines: readonly string[]): string => {
    const text = [`AWS4-HMAC-SHA256-${kind}`, seed.timestamp, seed.scope, previous, ...lines];
    previous = hex(hashes.hmacSha256(seed.signingKey, text.join("\n")));
    return previous;
  };
  const sha256 = (bytes: Uint8Array): string => hex(hashes.digest("sha256", bytes));
  const parts: Uint8Array[] = [];
  for (const frame of [...frames, EMPTY_BYTES]) {
    const signature = sign("PAYLOAD", [sha256(EMPTY_BYTES), sha256(frame)]);
    parts.push(utf8(`${frame.length.toString(16)};chunk-signature=${signature}\r\n`));
    if (frame.length > 0) parts.push(frame, utf8("\r\n"));
  }
  for (const line of trailers ?? []) parts.push(utf8(`${line}\r\n`));
  if (trailers !== undefined) {
    const signature = sign("TRAILER", [sha256(utf8(trailers.map((line) => `${line}\n`).join("")))]);
    parts.push(utf8(`x-amz-trailer-signature:${signature}\r\n`));
  }
  parts.push(utf8("\r\n"));
  return joinBytes(parts);
}
