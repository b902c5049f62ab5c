import type { Random } from "@kelp/base";
import type { AccessKeyId } from "@kelp/wire";

/** 32 characters, so that 5 bits of a random byte choose each without bias. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** An id of 80 random bits in the usual form, and a secret of 240. */
export function makeKeyPair(random: Random): {
  readonly id: AccessKeyId;
  readonly secret: string;
} {
  let id = "AKIA";
  for (const byte of random.bytes(16)) id += ALPHABET.charAt(byte & 31);
  return { id: id as AccessKeyId, secret: Buffer.from(random.bytes(30)).toString("base64url") };
}
