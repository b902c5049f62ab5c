import type { Clock, SqlDatabase } from "@kelp/base";
import { SEAL_KEY_BYTES } from "@kelp/base";
import { type KeyContext, type KeyManagement, KeyManagementError } from "@kelp/wire";
import { SealingError } from "../errors.ts";
import { KeyRing, type KeyRingDeps } from "./key-ring.ts";
import { type RingRow, readRing, writeRing } from "./ring-rows.ts";

export interface OpenKeyRing extends KeyRingDeps {
  /** The filer's own. */
  readonly database: SqlDatabase;
  /** `undefined`: the store is not to be sealed, and must not be. */
  readonly masterKeys: KeyManagement | undefined;
  readonly clock: Clock;
}

/**
 * The key ring of a store: made when a master key is given for the first time, and wrapped anew when its keys stand under
 * another master key than the current one, in one transaction. `undefined` when the store is not sealed.
 *
 * Throws `SealingError`, with nothing changed: `key-missing` when the store is sealed and no master key is given,
 * `key-wrong` when it is sealed under one that is not there, `ring-damaged` when a wrapped key does not open; and
 * `KeyManagementError` `unavailable`.
 */
export async function openKeyRing(options: OpenKeyRing): Promise<KeyRing | undefined> {
  const { database, masterKeys } = options;
  const rows = readRing(database);
  if (masterKeys === undefined) {
    const first = rows[0];
    if (first === undefined) return undefined;
    throw new SealingError(
      "key-missing",
      `the store is sealed under the master key ${first.masterKeyId}, and no master key is given`,
    );
  }
  const keys = new Map<number, Uint8Array>();
  for (const row of rows) keys.set(row.number, await unwrapRow(row, masterKeys));
  if (keys.size === 0) keys.set(1, options.random.bytes(SEAL_KEY_BYTES));
  const isCurrent = (row: RingRow): boolean => row.masterKeyId === masterKeys.currentKeyId;
  if (rows.length === 0 || !rows.every(isCurrent)) {
    const createdMs = new Map(rows.map((row) => [row.number, row.createdMs]));
    const wrapped: RingRow[] = [];
    for (const [number, key] of keys) {
      const { keyId, bytes } = await masterKeys.wrap({ key, context: contextOf(number) });
      const nowMs = options.clock.nowMs();
      wrapped.push({
        number,
        createdMs: createdMs.get(number) ?? nowMs,
        masterKeyId: keyId,
        wrapped: bytes,
      });
    }
    writeRing(database, wrapped);
  }
  return new KeyRing(options, keys);
}

/** Under which master keys the ring of a store stands; empty when the store is not sealed. */
export function ringMasterKeys(database: SqlDatabase): readonly string[] {
  return [...new Set(readRing(database).map((row) => row.masterKeyId))];
}

async function unwrapRow(row: RingRow, masterKeys: KeyManagement): Promise<Uint8Array> {
  const { masterKeyId, number } = row;
  if (!(await masterKeys.hasKey(masterKeyId))) {
    throw new SealingError(
      "key-wrong",
      `the store is sealed under the master key ${masterKeyId}, and the one given is ${masterKeys.currentKeyId}`,
    );
  }
  try {
    const wrapped = { keyId: masterKeyId, bytes: row.wrapped };
    return await masterKeys.unwrap(wrapped, contextOf(number));
  } catch (error) {
    if (!(error instanceof KeyManagementError) || error.code !== "not-authentic") throw error;
    throw new SealingError(
      "ring-damaged",
      `key ${number} of the ring does not open under the master key ${masterKeyId}: it is damaged`,
      { cause: error },
    );
  }
}

function contextOf(number: number): KeyContext {
  return { "kelp:purpose": "key ring", "kelp:ring-key": String(number) };
}
