import type { Hashes } from "@kelp/base";
import { BackupError } from "../errors.ts";
import type { BackupManifest } from "./backup-manifest.ts";
import type { BackupTarget } from "./backup-target.ts";
import { isManifest } from "./checked-shape.ts";
import { decodeChecked, encodeChecked } from "./checked-text.ts";

/** What every Kelp can restore. */
export const BACKUP_FORMAT = 1;
/** Grows when an older program could not restore what a newer one wrote. This one: with loose needles. */
export const BACKUP_FORMAT_LOOSE = 2;
const FORMAT_MAX = BACKUP_FORMAT_LOOSE;

const MARKER_NAME = "kelp-backup.json";
const MANIFESTS = "backups/";

/**
 * Makes sure that the target is one of backups, marking an empty one, and again one that has lost its mark. Throws `BackupError`: `target-unusable` when other things stand
 * there, `format-unknown` when a newer Kelp wrote it.
 */
export async function openTarget(
  target: BackupTarget,
  mode: "read" | "write",
  hashes: Pick<Hashes, "digest">,
): Promise<void> {
  const marker = await target.read(MARKER_NAME);
  if (marker !== undefined) {
    const { format } = decodeChecked(MARKER_NAME, marker, hashes) as { readonly format: number };
    checkFormat(format, MARKER_NAME);
    return;
  }
  const isOurs = await hasReadableManifest(target, hashes);
  if (mode === "read") {
    if (isOurs) return;
    throw new BackupError("target-unusable", "there are no backups of Kelp there");
  }
  if (!isOurs && (await target.list("")).length > 0) {
    throw new BackupError(
      "target-unusable",
      "other files are there, and backups of Kelp are not; name an empty place",
    );
  }
  await target.write(MARKER_NAME, encodeChecked({ format: BACKUP_FORMAT }, hashes));
}

async function hasReadableManifest(
  target: BackupTarget,
  hashes: Pick<Hashes, "digest">,
): Promise<boolean> {
  for (const id of (await backupIds(target)).toReversed()) {
    try {
      await readManifest(target, id, hashes);
      return true;
    } catch (error) {
      if (!(error instanceof BackupError) || error.code !== "backup-damaged") throw error;
    }
  }
  return false;
}

/** Ids of whole backups, oldest first. */
export async function backupIds(target: BackupTarget): Promise<string[]> {
  const names = await target.list(MANIFESTS);
  return names
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(MANIFESTS.length, -".json".length))
    .toSorted();
}

export async function writeManifest(
  target: BackupTarget,
  manifest: BackupManifest,
  hashes: Pick<Hashes, "digest">,
): Promise<void> {
  await target.write(`${MANIFESTS}${manifest.id}.json`, encodeChecked(manifest, hashes));
}

/** Throws `BackupError`: `no-such-backup`, `backup-damaged`, `format-unknown`. */
export async function readManifest(
  target: BackupTarget,
  id: string,
  hashes: Pick<Hashes, "digest">,
): Promise<BackupManifest> {
  const name = `${MANIFESTS}${id}.json`;
  const bytes = /^[\w-]+$/.test(id) ? await target.read(name) : undefined;
  if (bytes === undefined) throw new BackupError("no-such-backup", `there is no backup ${id}`);
  const manifest = decodeChecked(name, bytes, hashes);
  checkFormat((manifest as Partial<BackupManifest> | null)?.format ?? BACKUP_FORMAT, name);
  if (!isManifest(manifest, id)) {
    throw new BackupError("backup-damaged", `${name} is no manifest of a backup of that name`);
  }
  return manifest;
}

export async function removeManifest(target: BackupTarget, id: string): Promise<void> {
  await target.remove(`${MANIFESTS}${id}.json`);
}

function checkFormat(format: number, name: string): void {
  if (format <= FORMAT_MAX) return;
  throw new BackupError(
    "format-unknown",
    `${name} has format ${format}, and this Kelp knows up to ${FORMAT_MAX}`,
  );
}
