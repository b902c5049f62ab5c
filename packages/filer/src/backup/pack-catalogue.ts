import type { Hashes, SqlDatabase, SqlStatement } from "@kelp/base";
import { BackupError } from "../errors.ts";
import { PACK_INDEX_READS_MAX } from "../limits.ts";
import type { BackupTarget } from "./backup-target.ts";
import type { PackIndex } from "./pack-index.ts";
import { checkPackSize, readPackIndex } from "./pack.ts";

/**
 * Which pack holds which blob, in a database of its own that nobody keeps: a store of a billion chunks has more of
 * them than memory.
 */
export class PackCatalogue {
  readonly #database: SqlDatabase;
  readonly #insertPack: SqlStatement<unknown>;
  readonly #insert: SqlStatement<unknown>;
  readonly #select: SqlStatement<{ pack: string }>;
  readonly #use: SqlStatement<unknown>;
  readonly #used: SqlStatement<{ id: string }>;

  /** `scratch` is empty, and the catalogue's alone. */
  constructor(scratch: SqlDatabase) {
    scratch.execute(`
      PRAGMA synchronous=OFF;
      CREATE TABLE packs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, is_used INTEGER NOT NULL DEFAULT 0);
      CREATE TABLE blobs (key TEXT PRIMARY KEY, pack INTEGER NOT NULL) WITHOUT ROWID;
    `);
    this.#database = scratch;
    this.#insertPack = scratch.prepare("INSERT INTO packs (id) VALUES (?)");
    this.#insert = scratch.prepare(
      "INSERT OR IGNORE INTO blobs (key, pack) VALUES (?, (SELECT number FROM packs WHERE id = ?))",
    );
    this.#select = scratch.prepare(
      "SELECT packs.id AS pack FROM blobs JOIN packs ON packs.number = blobs.pack WHERE key = ?",
    );
    this.#use = scratch.prepare("UPDATE packs SET is_used = 1 WHERE id = ? AND is_used = 0");
    this.#used = scratch.prepare("SELECT id FROM packs WHERE is_used = 1 ORDER BY id");
  }

  add(pack: PackIndex): void {
    this.#database.transaction(() => {
      this.#insertPack.run(pack.id);
      for (const { key } of pack.blobs) this.#insert.run(key, pack.id);
    });
  }

  /** The one pack that this blob is taken from, though several may hold it. */
  packOf(key: string): string | undefined {
    return this.#select.get(key)?.pack;
  }

  /** Like `packOf`, and the pack counts as used from now on. */
  use(key: string): string | undefined {
    const pack = this.packOf(key);
    if (pack !== undefined) this.#use.run(pack);
    return pack;
  }

  usedPacks(): string[] {
    return this.#used.all().map(({ id }) => id);
  }
}

/**
 * Reads the indexes of packs, a few at once. With `onDamaged` it is told of what is damaged, and packs are looked at, too: one of another size than its
 * index says is no place to take pieces from. Without it throws `BackupError` `backup-damaged`.
 */
export async function loadCatalogue(
  target: BackupTarget,
  ids: readonly string[],
  deps: {
    readonly scratch: SqlDatabase;
    readonly hashes: Pick<Hashes, "digest">;
    readonly onDamaged?: (error: BackupError) => void;
  },
): Promise<PackCatalogue> {
  const catalogue = new PackCatalogue(deps.scratch);
  for (let start = 0; start < ids.length; start += PACK_INDEX_READS_MAX) {
    const slice = ids.slice(start, start + PACK_INDEX_READS_MAX);
    const indexes = await Promise.all(
      slice.map(async (id) => {
        try {
          const index = await readPackIndex(target, id, deps.hashes);
          if (deps.onDamaged !== undefined) await checkPackSize(target, index);
          return index;
        } catch (error) {
          if (!(error instanceof BackupError) || error.code !== "backup-damaged") throw error;
          if (deps.onDamaged === undefined) throw error;
          deps.onDamaged(error);
          return undefined;
        }
      }),
    );
    for (const index of indexes) if (index !== undefined) catalogue.add(index);
  }
  return catalogue;
}
