import type { Hashes } from "@kelp/base";
import { BackupError } from "../errors.ts";
import type { BackupTarget } from "./backup-target.ts";
import type { BackupManifest } from "./backup-manifest.ts";
import { backupIds, openTarget, readManifest } from "./manifest.ts";

/**
 * The backup of that id, or the newest. Throws `BackupError`: `target-unusable`, `no-such-backup`, `backup-damaged`, `format-unknown`,
 * `store-unclear` when none is named and backups of several stores are there.
 */
export async function chosenBackup(
  target: BackupTarget,
  id: string | undefined,
  hashes: Pick<Hashes, "digest">,
): Promise<BackupManifest> {
  await openTarget(target, "read", hashes);
  if (id !== undefined) return readManifest(target, id, hashes);
  const ids = await backupIds(target);
  const newest = ids.at(-1);
  if (newest === undefined) throw new BackupError("no-such-backup", "no backup there is whole");
  const chosen = await newestOrHint(target, ids, hashes);
  for (const other of ids.slice(0, -1)) {
    const storeId = await storeIdIn(target, other, hashes);
    if (storeId === undefined || storeId === chosen.storeId) continue;
    throw new BackupError(
      "store-unclear",
      "backups of several stores are there: name one with --backup; kelp backup list tells which there are",
    );
  }
  return chosen;
}

/** The newest is never passed over silently: an older state may not be what is wanted. */
async function newestOrHint(
  target: BackupTarget,
  ids: readonly string[],
  hashes: Pick<Hashes, "digest">,
): Promise<BackupManifest> {
  try {
    return await readManifest(target, ids.at(-1) ?? "", hashes);
  } catch (error) {
    const older = ids.at(-2);
    if (!(error instanceof BackupError) || older === undefined) throw error;
    throw new BackupError(
      error.code,
      `${error.message}; an older backup can be named: --backup ${older}`,
      { cause: error },
    );
  }
}

/** `undefined` when the manifest cannot be read: it is no choice either. */
async function storeIdIn(
  target: BackupTarget,
  id: string,
  hashes: Pick<Hashes, "digest">,
): Promise<string | undefined> {
  try {
    return (await readManifest(target, id, hashes)).storeId;
  } catch (error) {
    const isUnreadable = error instanceof BackupError && error.code !== "target-failed";
    if (!isUnreadable) throw error;
    return undefined;
  }
}
