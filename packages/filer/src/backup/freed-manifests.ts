import { type SqlDatabase, type SqlStatement, must } from "@kelp/base";
import { type Chunk, type Fid, type VolumeId, formatFid } from "@kelp/wire";
import { decodeChunks, encodeChunks } from "../entry/chunk-list.ts";
import { BACKUP_ROWS_AT_ONCE } from "../limits.ts";
import type { NamedChunks } from "./named-chunks.ts";

interface GarbageRow {
  readonly id: number;
  readonly chunks: Uint8Array;
}

/**
 * Manifests that wait to be freed in a copy of the filer's database. What they list is named until they are, and only they tell
 * what that is: a store without them would keep those chunks for ever.
 */
export class FreedManifests {
  readonly #database: SqlDatabase;
  readonly #select: SqlStatement<GarbageRow>;
  readonly #names = new Set<string>();
  readonly #fids: Fid[] = [];

  /** Reads all garbage. Memory: what waits of manifests, one for thousands of chunks. */
  constructor(database: SqlDatabase, named: NamedChunks) {
    this.#database = database;
    this.#select = database.prepare(
      "SELECT id, chunks FROM garbage WHERE id > ? ORDER BY id LIMIT ?",
    );
    for (const row of this.#rows()) {
      for (const { fid } of manifestsIn(row)) {
        if (named.has(fid)) continue;
        this.#names.add(formatFid(fid));
        this.#fids.push(fid);
      }
    }
  }

  get fids(): readonly Fid[] {
    return this.#fids;
  }

  has(fid: Fid): boolean {
    return this.#names.has(formatFid(fid));
  }

  /** All garbage in some volumes, as `formatFid` spells it. */
  garbageIn(volumes: ReadonlySet<VolumeId>): ReadonlySet<string> {
    const found = new Set<string>();
    for (const row of this.#rows()) {
      for (const { fid } of decodeChunks(row.chunks) ?? []) {
        if (volumes.has(fid.volumeId)) found.add(formatFid(fid));
      }
    }
    return found;
  }

  /** Leaves of the garbage the manifests that are there: nothing else of it was restored. */
  keepOnly(isThere: (fid: Fid) => boolean): void {
    const update = this.#database.prepare("UPDATE garbage SET chunks = ? WHERE id = ?");
    const remove = this.#database.prepare("DELETE FROM garbage WHERE id = ?");
    this.#database.transaction(() => {
      for (const row of this.#rows()) {
        const kept = manifestsIn(row).filter(({ fid }) => this.has(fid) && isThere(fid));
        if (kept.length === 0) remove.run(row.id);
        else update.run(encodeChunks(kept), row.id);
      }
    });
  }

  *#rows(): Generator<GarbageRow> {
    let afterId = 0;
    for (;;) {
      const rows: GarbageRow[] = this.#select.all(afterId, BACKUP_ROWS_AT_ONCE);
      yield* rows;
      if (rows.length < BACKUP_ROWS_AT_ONCE) return;
      afterId = must(rows.at(-1)).id;
    }
  }
}

/** A row that is damaged names nothing. */
function manifestsIn(row: GarbageRow): readonly Chunk[] {
  return (decodeChunks(row.chunks) ?? []).filter(({ isManifest }) => isManifest === true);
}
