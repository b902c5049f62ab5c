import { type Hashes, hex, utf8, utf8Text } from "@kelp/base";
import { BackupError } from "../errors.ts";

const DIGEST_CHARS = 64;

/** A JSON document that tells whether it is whole: one line, then the SHA-256 of it in hex. */
export function encodeChecked(value: unknown, hashes: Pick<Hashes, "digest">): Uint8Array {
  const line = JSON.stringify(value);
  return utf8(`${line}\n${hex(hashes.digest("sha256", line))}\n`);
}

/** Throws `BackupError` `backup-damaged`. Damage is ruled out, not malice: whoever may write there can make the hash, too. */
export function decodeChecked(
  name: string,
  bytes: Uint8Array,
  hashes: Pick<Hashes, "digest">,
): unknown {
  const text = utf8Text(bytes);
  const end = text.length - DIGEST_CHARS - 2;
  const line = text.slice(0, Math.max(end, 0));
  const isWhole = end > 0 && text.slice(end) === `\n${hex(hashes.digest("sha256", line))}\n`;
  if (!isWhole) throw new BackupError("backup-damaged", `${name} is torn or damaged`);
  try {
    return JSON.parse(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new BackupError("backup-damaged", `${name} is no JSON`, { cause: error });
  }
}
