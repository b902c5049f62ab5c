import { type Hashes, assert } from "@kelp/base";
import type { BackupTarget } from "./backup-target.ts";
import type { BackupManifest } from "./backup-manifest.ts";
import { backupIds, readManifest, removeManifest } from "./manifest.ts";
import { packIds, removePack } from "./pack.ts";

/**
 * Keeps the newest `keepCount` backups of a store and removes the older ones, then every pack that no backup needs.
 * No other backup may be running into the target. Throws `BackupError`; a manifest that cannot be read stops it, since what
 * that backup needs is not known.
 */
export async function pruneBackups(
  target: BackupTarget,
  options: { readonly storeId: string; readonly keepCount: number },
  hashes: Pick<Hashes, "digest">,
): Promise<{ readonly removedBackups: number; readonly removedPacks: number }> {
  assert(options.keepCount > 0, "a backup stays");
  const manifests: BackupManifest[] = [];
  for (const id of await backupIds(target)) manifests.push(await readManifest(target, id, hashes));
  const own = manifests.filter(({ storeId }) => storeId === options.storeId);
  const removed = new Set(own.slice(0, Math.max(own.length - options.keepCount, 0)));
  for (const manifest of removed) await removeManifest(target, manifest.id);
  const needed = new Set(
    manifests.filter((manifest) => !removed.has(manifest)).flatMap(({ packs }) => packs),
  );
  let removedPacks = 0;
  for (const id of await packIds(target)) {
    if (needed.has(id)) continue;
    await removePack(target, id);
    removedPacks += 1;
  }
  return { removedBackups: removed.size, removedPacks };
}
