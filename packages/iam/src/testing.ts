import { type SqlDatabase, silentLog } from "@kelp/base";
import { openDatabase, systemClock, systemHashes, systemRandom } from "@kelp/base/platform";
import type { AccessKeyId } from "@kelp/wire";
import { type Iam, IamError, openIam } from "./index.ts";

/** Makings of this room's tests. */

export const ROOT = { accessKeyId: "rootkey", secret: "root-secret" };

export function open(database: SqlDatabase = openDatabase(":memory:"), log = silentLog): Iam {
  return openIam({
    database,
    root: ROOT,
    clock: systemClock,
    random: systemRandom,
    hashes: systemHashes,
    log,
  });
}

export function keyId(text: string): AccessKeyId {
  return text as AccessKeyId;
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof IamError) return error.code;
    throw error;
  }
  return "accepted";
}
