import { type SqlDatabase, must } from "@kelp/base";
import {
  openDatabase,
  systemAead,
  systemClock,
  systemHashes,
  systemRandom,
} from "@kelp/base/platform";
import type { KeyManagement } from "@kelp/wire";
import type { FilerOptions } from "../filer.ts";
import type { KeyRing } from "../seal/key-ring.ts";
import { LocalMasterKeys } from "../seal/local-master-keys.ts";
import { openKeyRing } from "../seal/open-ring.ts";
import { type FilerWorld, openFilerWorld } from "./world.ts";

/** Master keys made of one byte each: the first wraps, all unwrap. */
export function testMasterKeys(...fills: readonly number[]): KeyManagement {
  return new LocalMasterKeys({
    keys: fills.map((fill) => new Uint8Array(32).fill(fill)),
    aead: systemAead,
    hashes: systemHashes,
    random: systemRandom,
  });
}

export function openTestRing(
  database: SqlDatabase,
  masterKeys: KeyManagement | undefined,
): Promise<KeyRing | undefined> {
  return openKeyRing({
    database,
    masterKeys,
    aead: systemAead,
    hashes: systemHashes,
    random: systemRandom,
    clock: systemClock,
  });
}

/** A filer in memory that seals. */
export async function openSealedWorld(options: Partial<FilerOptions> = {}): Promise<FilerWorld> {
  const database = options.database ?? openDatabase(":memory:");
  const keyRing = must(await openTestRing(database, testMasterKeys(1)));
  return openFilerWorld({ ...options, database, keyRing });
}
