import type { SqlDatabase, SqlStatement } from "@kelp/base";
import type { EntryPath, Part, Upload, UploadId } from "@kelp/wire";
import { decodeAttributes } from "../../entry/attributes.ts";
import { COMPLETED_UPLOADS_KEPT_MAX } from "../../limits.ts";

export interface UploadRow {
  readonly number: number;
  readonly id: UploadId;
  readonly path: EntryPath;
  readonly owner: string;
  readonly createdMs: number;
  readonly attributes: string;
}

export interface PartRow {
  readonly number: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  readonly chunkCount: number;
  readonly attributes: string;
  readonly chunks: Uint8Array;
}

/** What is remembered of a completed upload. */
export interface CompletedRow {
  readonly id: string;
  readonly treeId: number;
  readonly path: EntryPath;
  readonly contentId: number;
  readonly digest: Uint8Array;
}

/** A place among uploads, which are ordered by path, then by id. */
export interface UploadPlace {
  readonly path: string;
  readonly id: string;
}

const UPLOAD = "number, id, path, owner, created_ms AS createdMs, attributes";
const PART = `number, size_bytes AS sizeBytes, modified_ms AS modifiedMs, etag, chunk_count AS chunkCount,
  attributes, chunks`;

/** The rows of uploads and parts, one statement per method. */
export class UploadRows {
  readonly #insert: SqlStatement<unknown>;
  readonly #select: SqlStatement<UploadRow>;
  readonly #delete: SqlStatement<unknown>;
  readonly #selectFrom: SqlStatement<UploadRow>;
  readonly #selectRange: SqlStatement<UploadRow>;
  readonly #putPart: SqlStatement<unknown>;
  readonly #selectPart: SqlStatement<PartRow>;
  readonly #selectParts: SqlStatement<PartRow>;
  readonly #deleteParts: SqlStatement<unknown>;
  readonly #insertCompleted: SqlStatement<unknown>;
  readonly #pruneCompleted: SqlStatement<unknown>;
  readonly #selectCompleted: SqlStatement<CompletedRow>;
  readonly #deleteCompleted: SqlStatement<unknown>;

  constructor(database: SqlDatabase) {
    this.#insert = database.prepare(
      "INSERT INTO uploads (id, tree_id, path, owner, created_ms, attributes) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#select = database.prepare(`SELECT ${UPLOAD} FROM uploads WHERE id = ? AND tree_id = ?`);
    this.#delete = database.prepare("DELETE FROM uploads WHERE number = ?");
    this.#selectFrom = database.prepare(
      `SELECT ${UPLOAD} FROM uploads WHERE tree_id = ? AND (path, id) > (?, ?) ORDER BY path, id LIMIT ?`,
    );
    this.#selectRange = database.prepare(
      `SELECT ${UPLOAD} FROM uploads WHERE tree_id = ? AND (path, id) > (?, ?) AND path < ?
       ORDER BY path, id LIMIT ?`,
    );
    this.#putPart = database.prepare(
      `INSERT OR REPLACE INTO parts
       (upload, number, size_bytes, modified_ms, etag, chunk_count, attributes, chunks)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#selectPart = database.prepare(
      `SELECT ${PART} FROM parts WHERE upload = ? AND number = ?`,
    );
    this.#selectParts = database.prepare(
      `SELECT ${PART} FROM parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?`,
    );
    this.#deleteParts = database.prepare("DELETE FROM parts WHERE upload = ?");
    this.#insertCompleted = database.prepare(
      "INSERT INTO completed_uploads (id, tree_id, path, content_id, digest) VALUES (?, ?, ?, ?, ?)",
    );
    this.#pruneCompleted = database.prepare(
      "DELETE FROM completed_uploads WHERE sequence <= (SELECT max(sequence) FROM completed_uploads) - ?",
    );
    this.#selectCompleted = database.prepare(
      `SELECT id, tree_id AS treeId, path, content_id AS contentId, digest
       FROM completed_uploads WHERE id = ? AND tree_id = ?`,
    );
    this.#deleteCompleted = database.prepare("DELETE FROM completed_uploads WHERE tree_id = ?");
  }

  insert(treeId: number, upload: Omit<UploadRow, "number">): void {
    const { id, path, owner, createdMs, attributes } = upload;
    this.#insert.run(id, treeId, path, owner, createdMs, attributes);
  }

  find(treeId: number, id: UploadId): UploadRow | undefined {
    return this.#select.get(id, treeId);
  }

  /** In order, behind `after` and below the path `end`. */
  range(treeId: number, after: UploadPlace, end: string | undefined, limit: number): UploadRow[] {
    return end === undefined
      ? this.#selectFrom.all(treeId, after.path, after.id, limit)
      : this.#selectRange.all(treeId, after.path, after.id, end, limit);
  }

  /** With its parts, whose content the caller has freed or taken. */
  delete(upload: number): void {
    this.#deleteParts.run(upload);
    this.#delete.run(upload);
  }

  putPart(upload: number, part: PartRow): void {
    const { number, sizeBytes, modifiedMs, etag, chunkCount, attributes, chunks } = part;
    this.#putPart.run(upload, number, sizeBytes, modifiedMs, etag, chunkCount, attributes, chunks);
  }

  findPart(upload: number, number: number): PartRow | undefined {
    return this.#selectPart.get(upload, number);
  }

  parts(upload: number, afterNumber: number, limit: number): PartRow[] {
    return this.#selectParts.all(upload, afterNumber, limit);
  }

  remember(completed: CompletedRow): void {
    const { id, treeId, path, contentId, digest } = completed;
    this.#insertCompleted.run(id, treeId, path, contentId, digest);
    this.#pruneCompleted.run(COMPLETED_UPLOADS_KEPT_MAX);
  }

  findCompleted(treeId: number, id: UploadId): CompletedRow | undefined {
    return this.#selectCompleted.get(id, treeId);
  }

  forgetCompleted(treeId: number): void {
    this.#deleteCompleted.run(treeId);
  }
}

export function uploadOf(row: UploadRow): Upload {
  return {
    id: row.id,
    path: row.path,
    owner: row.owner,
    createdMs: row.createdMs,
    attributes: decodeAttributes(row.attributes),
  };
}

export function partOf(row: PartRow): Part {
  return {
    number: row.number,
    sizeBytes: row.sizeBytes,
    modifiedMs: row.modifiedMs,
    etag: row.etag,
    attributes: decodeAttributes(row.attributes),
  };
}
