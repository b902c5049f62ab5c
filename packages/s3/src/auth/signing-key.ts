import { type Hashes, must, utf8 } from "@kelp/base";
import type { KeyRecord } from "@kelp/wire";
import type { Credential } from "./credential.ts";

/** Derived keys kept per access key: dates (2 at midnight) × regions that its clients name. */
const SCOPES_PER_KEY_MAX = 16;

/**
 * Signing keys by the record that the directory holds of an access key, then by scope. A record that was replaced or
 * removed takes what was derived from it along.
 */
const scopesByKey = new WeakMap<KeyRecord, Map<string, Uint8Array>>();

/** The one kept, or else derived. */
export function signingKeyOf(
  record: KeyRecord,
  credential: Credential,
  hashes: Hashes,
): Uint8Array {
  return (
    scopesByKey.get(record)?.get(credential.scope) ??
    deriveSigningKey(record.secret, credential, hashes)
  );
}

/**
 * Keeps a key that has verified a signature: before that, whoever knows the id of a key could push its useful ones out.
 * Oldest out first when full.
 */
export function keepSigningKey(
  record: KeyRecord,
  credential: Credential,
  signingKey: Uint8Array,
): void {
  let scopes = scopesByKey.get(record);
  if (scopes === undefined) {
    scopes = new Map();
    scopesByKey.set(record, scopes);
  }
  if (scopes.has(credential.scope)) return;
  if (scopes.size >= SCOPES_PER_KEY_MAX) {
    scopes.delete(must(scopes.keys().next().value, "a full cache has a first key"));
  }
  scopes.set(credential.scope, signingKey);
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
