import type { Hashes } from "@kelp/base";
import { BackupError } from "../errors.ts";
import type { BackupTarget } from "./backup-target.ts";
import type { BackupManifest } from "./backup-manifest.ts";
import { backupIds, readManifest } from "./manifest.ts";

/**
 * What the newest backup there lacks, in words: its manifest, or packs that are not in `packs`. Only the newest: a place may hold
 * thousands, and what an older one needs is mostly needed by it as well.
 */
export async function newestLacks(
  target: BackupTarget,
  packs: readonly string[],
  hashes: Pick<Hashes, "digest">,
): Promise<readonly string[]> {
  const newest = (await backupIds(target)).at(-1);
  if (newest === undefined) return [];
  let manifest: BackupManifest;
  try {
    manifest = await readManifest(target, newest, hashes);
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== "backup-damaged") throw error;
    return [error.message];
  }
  const there = new Set(packs);
  return manifest.packs.filter((id) => !there.has(id)).map((id) => `packs/${id} is missing`);
}
