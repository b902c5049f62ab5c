import { gunzip } from "node:zlib";
import { VolumeError } from "../errors.ts";
import { INFLATED_BYTES_MAX } from "./limits.ts";

/**
 * Content of a needle that is stored compressed; `larger` when it is more than `sizeBytesMax`. Throws `needle-corrupt` when
 * it cannot be had, or is beyond all bounds.
 */
export function inflate(
  stored: Uint8Array,
  sizeBytesMax = INFLATED_BYTES_MAX,
): Promise<Uint8Array | "larger"> {
  return new Promise((resolve, reject) => {
    gunzip(stored, { maxOutputLength: Math.max(1, sizeBytesMax) }, (error, content) => {
      if (error === null) resolve(content);
      else if (isTooLarge(error) && sizeBytesMax < INFLATED_BYTES_MAX) resolve("larger");
      else {
        const message = "Cannot read the needle: its compressed content cannot be expanded";
        reject(new VolumeError("needle-corrupt", message, { cause: error }));
      }
    });
  });
}

function isTooLarge(error: Error): boolean {
  return "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

/** Whether bytes begin as compressed ones do. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 18 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Length of the content as the last four bytes tell it, modulo 2³²: a hint, not to be trusted. */
export function inflatedLength(bytes: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUInt32LE(
    bytes.length - 4,
  );
}

/** `Accept-Encoding` of a client that takes compressed content as it is. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  if (header === undefined) return false;
  const text = typeof header === "string" ? header : header.join(",");
  return text.split(",").some((piece) => {
    const [coding = "", ...parameters] = piece.split(";").map((part) => part.trim().toLowerCase());
    if (coding !== "gzip" && coding !== "x-gzip") return false;
    return !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
