import type { Disk, Hashes, SqlDatabase } from "@kelp/base";
import { BackupError } from "../errors.ts";
import type { BackupTarget } from "./backup-target.ts";
import { LOOSE_LIST_NAME, LooseList } from "./loose-list.ts";
import type { BackupManifest } from "./backup-manifest.ts";
import { checkDatabase } from "./named-chunks.ts";
import type { PackCatalogue } from "./pack-catalogue.ts";
import { restoreFiles } from "./restore-files.ts";

/** The list of loose needles of a backup; empty where it has none. */
export interface RestoredList extends Disposable {
  readonly list: LooseList;
}

/** Brings the list into `folder` and opens it there, checked. Throws `BackupError` `backup-damaged`. */
export async function restoreList(
  deps: {
    readonly disk: Disk;
    readonly hashes: Pick<Hashes, "digest">;
    readonly openDatabase: (path: string) => SqlDatabase;
  },
  request: {
    readonly manifest: BackupManifest;
    readonly target: BackupTarget;
    readonly catalogue: PackCatalogue;
    readonly folder: string;
  },
): Promise<RestoredList> {
  const { looseNeedles } = request.manifest;
  if (looseNeedles !== undefined) {
    await restoreFiles(deps, {
      ...request,
      manifest: { databases: [{ ...looseNeedles.list, name: LOOSE_LIST_NAME }], files: [] },
      names: [LOOSE_LIST_NAME],
    });
  }
  const database = deps.openDatabase(`${request.folder}/${LOOSE_LIST_NAME}`);
  try {
    checkDatabase(database, LOOSE_LIST_NAME, "backup-damaged");
    const list = new LooseList(database);
    if (list.count !== (looseNeedles?.count ?? 0)) {
      throw new BackupError("backup-damaged", "the list of needles has another length");
    }
    return { list, [Symbol.dispose]: () => database[Symbol.dispose]() };
  } catch (error) {
    database[Symbol.dispose]();
    throw error;
  }
}
