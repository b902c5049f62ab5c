import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { SEAL_KEY_BYTES, hex } from "@kelp/base";
import { systemHashes, systemRandom } from "@kelp/base/platform";
import { masterKeyId } from "@kelp/filer";
import { StartError } from "../errors.ts";
import { errorText } from "../folder/error-text.ts";

/** Writes a random master key to a file that must not exist; durable when it returns. Throws `StartError` `master-key-unusable`. */
export function makeMasterKeyFile(path: string): { readonly keyId: string } {
  const key = systemRandom.bytes(SEAL_KEY_BYTES);
  try {
    const fd = openSync(path, "wx", 0o600);
    try {
      writeSync(fd, `${hex(key)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const message = `Cannot write a master key: ${errorText(error)}`;
    throw new StartError("master-key-unusable", message, { cause: error });
  }
  return { keyId: masterKeyId(key, systemHashes) };
}
