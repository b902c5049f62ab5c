import { type Hashes, must, utf8 } from "@kelp/base";
import type { KeyDirectory, KeyRecord } from "@kelp/wire";
import type { Credential } from "./credential.ts";

/** Derived keys kept per directory: keys in use × dates (2 at midnight) × regions that clients name. */
const SIGNING_KEYS_MAX = 1024;

interface CachedKey {
  /** The secret that the key was derived from: a key id that was given a new secret misses. */
  readonly secret: string;
  readonly signingKey: Uint8Array;
}

/**
 * Signing keys by credential scope, for one key directory. A key enters only after it has verified a signature, so
 * that strangers cannot push the useful ones out. Oldest out first when full.
 */
export class SigningKeys {
  readonly #keys = new Map<string, CachedKey>();

  find(record: KeyRecord, credential: Credential, hashes: Hashes): Uint8Array {
    const cached = this.#keys.get(nameOf(credential));
    if (cached !== undefined && cached.secret === record.secret) return cached.signingKey;
    return deriveSigningKey(record.secret, credential, hashes);
  }

  keep(record: KeyRecord, credential: Credential, signingKey: Uint8Array): void {
    const name = nameOf(credential);
    if (this.#keys.get(name)?.signingKey === signingKey) return;
    this.#keys.delete(name);
    if (this.#keys.size >= SIGNING_KEYS_MAX) {
      this.#keys.delete(must(this.#keys.keys().next().value, "a full cache has a first key"));
    }
    this.#keys.set(name, { secret: record.secret, signingKey });
  }
}

const cachesByDirectory = new WeakMap<KeyDirectory, SigningKeys>();

export function signingKeysOf(directory: KeyDirectory): SigningKeys {
  const existing = cachesByDirectory.get(directory);
  if (existing !== undefined) return existing;
  const created = new SigningKeys();
  cachesByDirectory.set(directory, created);
  return created;
}

export function deriveSigningKey(
  secret: string,
  credential: Pick<Credential, "date" | "region" | "service">,
  hashes: Hashes,
): Uint8Array {
  const dateKey = hashes.hmacSha256(utf8(`AWS4${secret}`), credential.date);
  const regionKey = hashes.hmacSha256(dateKey, credential.region);
  const serviceKey = hashes.hmacSha256(regionKey, credential.service);
  return hashes.hmacSha256(serviceKey, "aws4_request");
}

function nameOf(credential: Credential): string {
  return `${credential.keyId}/${credential.scope}`;
}
