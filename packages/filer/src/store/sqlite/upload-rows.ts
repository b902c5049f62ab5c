import { type Hashes, type SqlDatabase, type SqlStatement, must } from "@kelp/base";
import type { EntryPath, Part, Upload, UploadId } from "@kelp/wire";
import { decodeAttributes } from "../../entry/attributes.ts";
import { COMPLETED_UPLOADS_KEPT_MAX } from "../../limits.ts";
import { checkSum, partSum, uploadSum } from "./row-sums.ts";

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

interface StoredUpload extends UploadRow {
  readonly sum: number | null;
}

export interface StoredPart extends PartRow {
  readonly sum: number | null;
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

const UPLOAD = "number, id, path, owner, created_ms AS createdMs, attributes, sum";
/** The columns of `StoredPart`. */
export const PART_COLUMNS = `number, size_bytes AS sizeBytes, modified_ms AS modifiedMs, etag, chunk_count AS chunkCount,
  attributes, chunks, sum`;

/** The rows of uploads and parts, one statement per method. */
export class UploadRows {
  readonly #hashes: Hashes;
  readonly #insert: SqlStatement<unknown>;
  readonly #select: SqlStatement<StoredUpload>;
  readonly #delete: SqlStatement<unknown>;
  readonly #selectFrom: SqlStatement<StoredUpload>;
  readonly #selectRange: SqlStatement<StoredUpload>;
  readonly #putPart: SqlStatement<unknown>;
  readonly #selectPart: SqlStatement<StoredPart>;
  readonly #selectParts: SqlStatement<StoredPart>;
  readonly #deleteParts: SqlStatement<unknown>;
  readonly #selectNumbers: SqlStatement<{ number: number }>;
  readonly #deletePart: SqlStatement<unknown>;
  readonly #sumParts: SqlStatement<{ bytes: number; chunks: number }>;
  readonly #insertCompleted: SqlStatement<unknown>;
  readonly #pruneCompleted: SqlStatement<unknown>;
  readonly #selectCompleted: SqlStatement<CompletedRow>;
  readonly #deleteCompleted: SqlStatement<unknown>;

  constructor(database: SqlDatabase, hashes: Hashes) {
    this.#hashes = hashes;
    this.#insert = database.prepare(
      "INSERT INTO uploads (id, tree_id, path, owner, created_ms, attributes, sum) VALUES (?, ?, ?, ?, ?, ?, ?)",
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
       (upload, number, size_bytes, modified_ms, etag, chunk_count, attributes, chunks, sum)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#selectPart = database.prepare(
      `SELECT ${PART_COLUMNS} FROM parts WHERE upload = ? AND number = ?`,
    );
    this.#selectParts = database.prepare(
      `SELECT ${PART_COLUMNS} FROM parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?`,
    );
    this.#deleteParts = database.prepare("DELETE FROM parts WHERE upload = ?");
    this.#selectNumbers = database.prepare("SELECT number FROM uploads WHERE tree_id = ? LIMIT ?");
    this.#deletePart = database.prepare("DELETE FROM parts WHERE upload = ? AND number = ?");
    this.#sumParts = database.prepare(
      `SELECT coalesce(sum(size_bytes), 0) AS bytes, coalesce(sum(chunk_count), 0) AS chunks
       FROM parts WHERE upload = ?`,
    );
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
    const sum = uploadSum(this.#hashes, upload);
    this.#insert.run(id, treeId, path, owner, createdMs, attributes, sum);
  }

  find(treeId: number, id: UploadId): UploadRow | undefined {
    const row = this.#select.get(id, treeId);
    if (row !== undefined) this.#checkUpload(row);
    return row;
  }

  /** In order, behind `after` and below the path `end`. */
  range(treeId: number, after: UploadPlace, end: string | undefined, limit: number): UploadRow[] {
    const rows =
      end === undefined
        ? this.#selectFrom.all(treeId, after.path, after.id, limit)
        : this.#selectRange.all(treeId, after.path, after.id, end, limit);
    for (const row of rows) this.#checkUpload(row);
    return rows;
  }

  /** Without its parts, which the caller has taken, or which a job removes. */
  delete(upload: number): void {
    this.#delete.run(upload);
  }

  /** Parts whose content the caller has freed or taken. */
  deleteParts(upload: number): void {
    this.#deleteParts.run(upload);
  }

  deletePart(upload: number, number: number): void {
    this.#deletePart.run(upload, number);
  }

  /** The first part of an upload that may be gone; unchecked. */
  peekPart(upload: number): StoredPart | undefined {
    return this.#selectParts.get(upload, 0, 1);
  }

  isSound(part: StoredPart): boolean {
    return part.sum === null || part.sum === partSum(this.#hashes, part);
  }

  /** Of any open uploads of a tree. */
  numbersOf(treeId: number, limit: number): { readonly number: number }[] {
    return this.#selectNumbers.all(treeId, limit);
  }

  /** What all parts of an upload take. */
  sumParts(upload: number): { readonly bytes: number; readonly chunks: number } {
    return must(this.#sumParts.get(upload));
  }

  putPart(upload: number, part: PartRow): void {
    const { number, sizeBytes, modifiedMs, etag, chunkCount, attributes, chunks } = part;
    const sum = partSum(this.#hashes, part);
    this.#putPart.run(
      upload,
      number,
      sizeBytes,
      modifiedMs,
      etag,
      chunkCount,
      attributes,
      chunks,
      sum,
    );
  }

  findPart(upload: number, number: number): PartRow | undefined {
    const row = this.#selectPart.get(upload, number);
    if (row !== undefined) this.#checkPart(row);
    return row;
  }

  parts(upload: number, afterNumber: number, limit: number): PartRow[] {
    const rows = this.#selectParts.all(upload, afterNumber, limit);
    for (const row of rows) this.#checkPart(row);
    return rows;
  }

  #checkUpload(row: StoredUpload): void {
    checkSum("an upload", row.sum, uploadSum(this.#hashes, row));
  }

  #checkPart(row: StoredPart): void {
    checkSum("a part of an upload", row.sum, partSum(this.#hashes, row));
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
