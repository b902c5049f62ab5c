import type { SqlDatabase, SqlStatement } from "@kelp/base";
import type { Entry, EntryPath } from "@kelp/wire";
import { decodeAttributes } from "../../entry/attributes.ts";
import { NO_CONTENT, contentOf, damaged } from "./content-rows.ts";

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

interface WholeRow extends EntryRow {
  readonly bytes: Uint8Array | null;
}

const COLUMNS = `path, size_bytes AS sizeBytes, modified_ms AS modifiedMs, etag, chunk_count AS chunkCount,
  position, content_id AS contentId, attributes`;

/** The rows of entries, one statement per method. */
export class EntryRows {
  readonly #select: SqlStatement<EntryRow>;
  readonly #selectWhole: SqlStatement<WholeRow>;
  readonly #selectFrom: SqlStatement<EntryRow>;
  readonly #selectRange: SqlStatement<EntryRow>;
  readonly #upsert: SqlStatement<unknown>;
  readonly #updateAttributes: SqlStatement<unknown>;
  readonly #delete: SqlStatement<unknown>;

  constructor(database: SqlDatabase) {
    this.#select = database.prepare(
      `SELECT ${COLUMNS} FROM entries WHERE tree_id = ? AND path = ?`,
    );
    this.#selectWhole = database.prepare(
      `SELECT ${COLUMNS}, contents.bytes AS bytes
       FROM entries LEFT JOIN contents ON contents.id = entries.content_id
       WHERE tree_id = ? AND path = ?`,
    );
    this.#selectFrom = database.prepare(
      `SELECT ${COLUMNS} FROM entries WHERE tree_id = ? AND path >= ? ORDER BY path LIMIT ?`,
    );
    this.#selectRange = database.prepare(
      `SELECT ${COLUMNS} FROM entries WHERE tree_id = ? AND path >= ? AND path < ? ORDER BY path LIMIT ?`,
    );
    this.#upsert = database.prepare(
      `INSERT OR REPLACE INTO entries
       (tree_id, path, size_bytes, modified_ms, etag, chunk_count, position, content_id, attributes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#updateAttributes = database.prepare(
      "UPDATE entries SET attributes = ?, position = ? WHERE tree_id = ? AND path = ?",
    );
    this.#delete = database.prepare("DELETE FROM entries WHERE tree_id = ? AND path = ?");
  }

  find(treeId: number, path: EntryPath): EntryRow | undefined {
    return this.#select.get(treeId, path);
  }

  /** The entry with its content, by one statement. */
  findWhole(treeId: number, path: EntryPath): Entry | undefined {
    const row = this.#selectWhole.get(treeId, path);
    if (row === undefined) return undefined;
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
    return end === undefined
      ? this.#selectFrom.all(treeId, start, limit)
      : this.#selectRange.all(treeId, start, end, limit);
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
    );
  }

  setAttributes(treeId: number, path: EntryPath, attributes: string, position: number): void {
    this.#updateAttributes.run(attributes, position, treeId, path);
  }

  delete(treeId: number, path: EntryPath): void {
    this.#delete.run(treeId, path);
  }
}
