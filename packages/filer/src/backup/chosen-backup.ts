import type { Hashes } from "@kelp/base";
import { BackupError } from "../errors.ts";
import type { BackupTarget } from "./backup-target.ts";
import { type BackupManifest, backupIds, openTarget, readManifest } from "./manifest.ts";

/** The backup of that id, or the newest. Throws `BackupError`: `target-unusable`, `no-such-backup`, `backup-damaged`, `format-unknown`. */
export async function chosenBackup(
  target: BackupTarget,
  id: string | undefined,
  hashes: Pick<Hashes, "digest">,
): Promise<BackupManifest> {
  await openTarget(target, "read", hashes);
  const newest = (await backupIds(target)).at(-1);
  const chosen = id ?? newest;
  if (chosen === undefined) {
    throw new BackupError("no-such-backup", "no backup there is whole");
  }
  return readManifest(target, chosen, hashes);
}
