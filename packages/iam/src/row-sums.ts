import type { Hashes } from "@kelp/base";
import type { StoredIdentity } from "./store.ts";

/**
 * Checksums of rows. SQLite keeps none over its pages, so a bit that a disk changed could make a Deny an Allow, or one name another.
 * Each is a CRC-32 as a signed number, in the row's last column:
 *
 * - `iam_identities.sum`  the name, the state, the date, and every action and statement in order: a row of those that
 *                         is gone or changed is found by it.
 * - `iam_keys.sum`        the id, the identity, the secret as stored, the state, the date.
 *
 * Rows from before there were sums have none; the owner of the tables gives them theirs when it opens.
 */

export type SummedIdentity = Pick<
  StoredIdentity,
  "name" | "isDisabled" | "createdMs" | "actions" | "statements"
>;

export interface SummedKey {
  readonly id: string;
  readonly name: string;
  /** As the database holds it: sealed or not. */
  readonly storedSecret: string;
  readonly isActive: boolean;
  readonly createdMs: number;
}

export function identitySum(hashes: Hashes, identity: SummedIdentity): number {
  const { name, isDisabled, createdMs, actions } = identity;
  const statements = identity.statements.map((rule) => [rule.effect, rule.actions, rule.resources]);
  return hashes.crc32(JSON.stringify([name, isDisabled, createdMs, actions, statements])) | 0;
}

export function keySum(hashes: Hashes, key: SummedKey): number {
  const { id, name, storedSecret, isActive, createdMs } = key;
  return hashes.crc32(JSON.stringify([id, name, storedSecret, isActive, createdMs])) | 0;
}
