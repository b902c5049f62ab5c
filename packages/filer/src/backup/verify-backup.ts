import type { Disk, Hashes, SqlDatabase } from "@kelp/base";
import { formatFid } from "@kelp/wire";
import { BackupError } from "../errors.ts";
import type { BackupTarget } from "./backup-target.ts";
import type { BackupManifest } from "./backup-manifest.ts";
import { NamedChunks, checkDatabase } from "./named-chunks.ts";
import { blobsOf, chunkKey, looseKey, readPack, readPackIndex } from "./pack.ts";
import { loadCatalogue } from "./pack-catalogue.ts";
import { restoreFiles } from "./restore-files.ts";
import { restoreList } from "./restored-list.ts";

export interface VerifyRequest {
  readonly manifest: BackupManifest;
  readonly target: BackupTarget;
  /** An empty folder for the databases of the backup, which the caller removes. */
  readonly workFolder: string;
  readonly filerDatabase: string;
  readonly onProgress?: (progress: {
    readonly packsDone: number;
    readonly packCount: number;
  }) => void;
}

/**
 * Reads all of a backup and proves that it can be restored: every pack and blob has its hash, the databases are whole, and
 * every chunk that they name is there, and every loose needle that is listed. Throws `BackupError` `backup-damaged` with the first thing that is not.
 */
export async function verifyBackup(
  deps: {
    readonly disk: Disk;
    readonly hashes: Pick<Hashes, "digest">;
    readonly openDatabase: (path: string) => SqlDatabase;
  },
  request: VerifyRequest,
): Promise<void> {
  const { manifest, target, workFolder } = request;
  const { hashes } = deps;
  const packCount = manifest.packs.length;
  for (const [number, id] of manifest.packs.entries()) {
    const pack = await readPackIndex(target, id, hashes);
    const bytes = await readPack(target, pack, hashes);
    for (const _blob of blobsOf(pack, bytes, hashes)) continue;
    request.onProgress?.({ packsDone: number + 1, packCount });
  }
  using scratch = deps.openDatabase(`${workFolder}/catalogue.db`);
  const catalogue = await loadCatalogue(target, manifest.packs, { scratch, hashes });
  const databases = manifest.databases.map(({ name }) => name);
  const names = [...databases, ...manifest.files.map(({ name }) => name)];
  await restoreFiles(deps, { manifest, target, catalogue, folder: workFolder, names });
  for (const name of databases) {
    using database = deps.openDatabase(`${workFolder}/${name}`);
    checkDatabase(database, name, "backup-damaged");
  }
  using filer = deps.openDatabase(`${workFolder}/${request.filerDatabase}`);
  let missing = 0;
  for (const fid of new NamedChunks(filer).all()) {
    const key = chunkKey(manifest.storeId, formatFid(fid));
    if (catalogue.packOf(key) === undefined) missing += 1;
  }
  if (missing > manifest.damagedCount) {
    throw new BackupError(
      "backup-damaged",
      `${missing - manifest.damagedCount} chunks are missing`,
    );
  }
  using loose = await restoreList(deps, { manifest, target, catalogue, folder: workFolder });
  for (const name of loose.list.all()) {
    if (catalogue.packOf(looseKey(manifest.storeId, name)) !== undefined) continue;
    throw new BackupError("backup-damaged", `needle ${name} is missing`);
  }
}
