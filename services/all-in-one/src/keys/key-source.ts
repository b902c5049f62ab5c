import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { isAbsolute } from "node:path";
import { SEAL_KEY_BYTES } from "@kelp/base";
import { StartError } from "../errors.ts";
import { errorText } from "../folder/error-text.ts";

/** What a key file may hold at most: a key in any spelling, with spaces around. */
const KEY_FILE_BYTES_MAX = 1024;

/** What an operator calls the place of a master key, for help and errors. */
export const KEY_SOURCES = "file:/PATH or env:NAME";

/**
 * Reads a master key from where `source` says. Throws `StartError` `master-key-unusable`; neither the key nor any part
 * of it ever reaches a message.
 */
export function readMasterKey(
  source: string,
  environment: Readonly<Record<string, string | undefined>>,
): Uint8Array {
  const colon = source.indexOf(":");
  const [kind, place] = [source.slice(0, colon), source.slice(colon + 1)];
  if (colon > 0 && place !== "") {
    if (kind === "file") return keyInFile(place, source);
    if (kind === "env") return keyInEnvironment(place, environment, source);
    if (kind === "kms") {
      throw unusable(source, "key management services are not supported yet: use file: or env:");
    }
  }
  // What was meant may be the key itself: it is not repeated.
  throw new StartError("master-key-unusable", `A master key is named as ${KEY_SOURCES}`);
}

function keyInFile(path: string, source: string): Uint8Array {
  if (!isAbsolute(path)) throw unusable(source, "the path must begin with a slash");
  const bytes = readSmallFile(path, source);
  // A file of exactly that size is the key itself, as `head -c 32 /dev/urandom` makes it.
  if (bytes.length === SEAL_KEY_BYTES) return strong(bytes, source);
  return keyOf(bytes.toString("latin1"), source);
}

function keyInEnvironment(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
  source: string,
): Uint8Array {
  const text = environment[name];
  if (text === undefined || text === "") throw unusable(source, "there is no such variable");
  return keyOf(text, source);
}

function keyOf(text: string, source: string): Uint8Array {
  const trimmed = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return strong(Buffer.from(trimmed, "hex"), source);
  // 43 letters hold 32 bytes, and the equals sign may be left out.
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) {
    return strong(Buffer.from(trimmed, "base64"), source);
  }
  throw unusable(source, `it must hold ${SEAL_KEY_BYTES} bytes as hex or base64`);
}

/** A file of zeros is a mistake, not a key. */
function strong(key: Uint8Array, source: string): Uint8Array {
  if (new Set(key).size < 8) throw unusable(source, "it is no random key");
  return key;
}

function readSmallFile(path: string, source: string): Buffer {
  try {
    const fd = openSync(path, "r");
    try {
      if (fstatSync(fd).isDirectory()) throw unusable(source, "it is a folder");
      const bytes = Buffer.alloc(KEY_FILE_BYTES_MAX + 1);
      const count = readSync(fd, bytes);
      if (count > KEY_FILE_BYTES_MAX) throw unusable(source, "the file is too long for a key");
      return bytes.subarray(0, count);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw unusable(source, errorText(error), error);
  }
}

function unusable(source: string, reason: string, cause?: unknown): StartError {
  const message = `Cannot use the master key ${source}: ${reason}`;
  return new StartError("master-key-unusable", message, { cause });
}
