import type { Hashes, SqlDatabase, SqlStatement } from "@kelp/base";
import type { EntryPath } from "@kelp/wire";
import type { PathPlace } from "../../list/path-place.ts";
import type { EntryRow } from "./entry-row.ts";
import { type IsSound, ROW_COLUMNS, type StoredEntry } from "./entry-rows.ts";
import { checkSum, entrySum } from "./row-sums.ts";

/** A row that was replaced or removed by the change at `until`, and that a snapshot taken before still sees. */
export interface PastRow extends StoredEntry {
  readonly until: number;
}

const COLUMNS = `${ROW_COLUMNS}, sum, until`;

/**
 * Former rows of entries. A row stood from its `position` up to, not with, its `until`: a snapshot at position s sees it when
 * `position <= s < until`. The rows of one path do not overlap, so a snapshot sees one of them at most.
 */
export class PastRows {
  readonly #hashes: Hashes;
  readonly #insert: SqlStatement<unknown>;
  readonly #select: SqlStatement<PastRow>;
  readonly #selectFrom: SqlStatement<PastRow>;
  readonly #selectRange: SqlStatement<PastRow>;
  readonly #delete: SqlStatement<unknown>;

  constructor(database: SqlDatabase, hashes: Hashes) {
    this.#hashes = hashes;
    this.#insert = database.prepare(
      `INSERT INTO past_entries
       (tree_id, path, until, size_bytes, modified_ms, etag, chunk_count, position, content_id, attributes, expires_ms, sum)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#select = database.prepare(
      `SELECT ${COLUMNS} FROM past_entries
       WHERE tree_id = ? AND path = ? AND until > ? ORDER BY until LIMIT 1`,
    );
    this.#selectFrom = database.prepare(
      `SELECT ${COLUMNS} FROM past_entries
       WHERE tree_id = ? AND (path, until) > (?, ?) ORDER BY path, until LIMIT ?`,
    );
    this.#selectRange = database.prepare(
      `SELECT ${COLUMNS} FROM past_entries
       WHERE tree_id = ? AND (path, until) > (?, ?) AND path < ? ORDER BY path, until LIMIT ?`,
    );
    this.#delete = database.prepare(
      "DELETE FROM past_entries WHERE tree_id = ? AND path = ? AND until = ?",
    );
  }

  insert(
    treeId: number,
    row: EntryRow,
    past: { readonly until: number; readonly isSound: IsSound },
  ): void {
    const sum = entrySum(this.#hashes, row);
    this.#insert.run(
      treeId,
      row.path,
      past.until,
      row.sizeBytes,
      row.modifiedMs,
      row.etag,
      row.chunkCount,
      row.position,
      row.contentId,
      row.attributes,
      row.expiresMs,
      past.isSound === "sound" ? sum : ~sum,
    );
  }

  /** The former row that a snapshot at `position` sees. */
  find(treeId: number, path: string, position: number): EntryRow | undefined {
    const row = this.peekAt(treeId, path, position);
    if (row !== undefined) this.check(row);
    return row;
  }

  /** As `find`, unchecked. */
  peekAt(treeId: number, path: string, position: number): PastRow | undefined {
    const row = this.#select.get(treeId, path, position);
    return row !== undefined && row.position <= position ? row : undefined;
  }

  /** By path, then by end, behind a place; unchecked. */
  peek(
    treeId: number,
    behind: { readonly path: string; readonly until: number },
    run: { readonly end: string | undefined; readonly limit: number },
  ): PastRow[] {
    const { path, until } = behind;
    return run.end === undefined
      ? this.#selectFrom.all(treeId, path, until, run.limit)
      : this.#selectRange.all(treeId, path, until, run.end, run.limit);
  }

  delete(treeId: number, row: { readonly path: EntryPath; readonly until: number }): void {
    this.#delete.run(treeId, row.path, row.until);
  }

  check(row: EntryRow): void {
    checkSum("a former entry", row.sum ?? null, entrySum(this.#hashes, row));
  }

  isSound(row: PastRow): IsSound {
    return row.sum === null || row.sum === entrySum(this.#hashes, row) ? "sound" : "damaged";
  }
}

/** Where the former rows of a place begin. */
export function behindPlace(place: PathPlace): { path: string; until: number } {
  return { path: place.path, until: place.bound === ">" ? Number.MAX_SAFE_INTEGER : 0 };
}
