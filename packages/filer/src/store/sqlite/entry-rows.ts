import type { Hashes, SqlDatabase, SqlStatement } from "@kelp/base";
import type { Entry, EntryPath } from "@kelp/wire";
import { decodeAttributes } from "../../entry/attributes.ts";
import { NO_CONTENT, contentOf } from "./content-rows.ts";
import { checkSum, contentSum, damaged, entrySum } from "./row-sums.ts";

/** An entry without its content. Attributes are still text: most operations only pass them on. */
export interface EntryRow {
  readonly path: EntryPath;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  readonly chunkCount: number;
  readonly position: number;
  readonly contentId: number;
  readonly attributes: string;
}

export interface StoredEntry extends EntryRow {
  readonly sum: number | null;
}

interface WholeRow extends StoredEntry {
  readonly bytes: Uint8Array | null;
  readonly contentSum: number | null;
}

/** The columns of `StoredEntry`. */
export const ENTRY_COLUMNS = `path, size_bytes AS sizeBytes, modified_ms AS modifiedMs, etag, chunk_count AS chunkCount,
  position, content_id AS contentId, attributes, entries.sum AS sum`;

/** The rows of entries, one statement per method. Every row read is checked against its sum: `entry-corrupt`. */
export class EntryRows {
  readonly #hashes: Hashes;
  readonly #select: SqlStatement<StoredEntry>;
  readonly #selectWhole: SqlStatement<WholeRow>;
  readonly #selectFrom: SqlStatement<StoredEntry>;
  readonly #selectRange: SqlStatement<StoredEntry>;
  readonly #upsert: SqlStatement<unknown>;
  readonly #delete: SqlStatement<unknown>;

  constructor(database: SqlDatabase, hashes: Hashes) {
    this.#hashes = hashes;
    this.#select = database.prepare(
      `SELECT ${ENTRY_COLUMNS} FROM entries WHERE tree_id = ? AND path = ?`,
    );
    this.#selectWhole = database.prepare(
      `SELECT ${ENTRY_COLUMNS}, contents.bytes AS bytes, contents.sum AS contentSum
       FROM entries LEFT JOIN contents ON contents.id = entries.content_id
       WHERE tree_id = ? AND path = ?`,
    );
    this.#selectFrom = database.prepare(
      `SELECT ${ENTRY_COLUMNS} FROM entries WHERE tree_id = ? AND path >= ? ORDER BY path LIMIT ?`,
    );
    this.#selectRange = database.prepare(
      `SELECT ${ENTRY_COLUMNS} FROM entries WHERE tree_id = ? AND path >= ? AND path < ? ORDER BY path LIMIT ?`,
    );
    this.#upsert = database.prepare(
      `INSERT OR REPLACE INTO entries
       (tree_id, path, size_bytes, modified_ms, etag, chunk_count, position, content_id, attributes, sum)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#delete = database.prepare("DELETE FROM entries WHERE tree_id = ? AND path = ?");
  }

  find(treeId: number, path: EntryPath): EntryRow | undefined {
    const row = this.#select.get(treeId, path);
    if (row !== undefined) this.#check(row);
    return row;
  }

  /** The entry with its content, by one statement. */
  findWhole(treeId: number, path: EntryPath): Entry | undefined {
    const row = this.#selectWhole.get(treeId, path);
    if (row === undefined) return undefined;
    this.#check(row);
    if (row.bytes !== null) {
      const found = contentSum(this.#hashes, row.contentId, row.bytes);
      checkSum("the content of an entry", row.contentSum, found);
    }
    if (row.bytes === null && row.contentId !== NO_CONTENT) {
      throw damaged("content of an entry is absent");
    }
    return {
      path: row.path,
      sizeBytes: row.sizeBytes,
      modifiedMs: row.modifiedMs,
      etag: row.etag,
      attributes: decodeAttributes(row.attributes),
      content:
        row.bytes === null
          ? { kind: "inline", bytes: new Uint8Array(0) }
          : contentOf(row.bytes, row.chunkCount),
      position: row.position,
    };
  }

  /** In order, from `start` up to but not `end`. */
  range(treeId: number, start: string, end: string | undefined, limit: number): EntryRow[] {
    const rows =
      end === undefined
        ? this.#selectFrom.all(treeId, start, limit)
        : this.#selectRange.all(treeId, start, end, limit);
    for (const row of rows) this.#check(row);
    return rows;
  }

  put(treeId: number, row: EntryRow): void {
    this.#upsert.run(
      treeId,
      row.path,
      row.sizeBytes,
      row.modifiedMs,
      row.etag,
      row.chunkCount,
      row.position,
      row.contentId,
      row.attributes,
      entrySum(this.#hashes, row),
    );
  }

  delete(treeId: number, path: EntryPath): void {
    this.#delete.run(treeId, path);
  }

  #check(row: StoredEntry): void {
    checkSum("an entry", row.sum, entrySum(this.#hashes, row));
  }
}
