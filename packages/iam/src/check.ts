import type { Hashes, SqlDatabase } from "@kelp/base";
import { StoredSecrets } from "./stored-secrets.ts";
import { type IdentityDamage, IdentityStore } from "./store.ts";

/** What of a directory, which nobody else has open, is damaged at rest. Needs no keys of a sealed store. */
export function checkIdentities(database: SqlDatabase, hashes: Hashes): IdentityDamage[] {
  const means = { secrets: new StoredSecrets(undefined), hashes };
  return new IdentityStore(database, means, "this-process").damage();
}
