import { type Hashes, type SqlDatabase, type SqlStatement, assert } from "@kelp/base";
import type { Content, Entry, EntryHead, EntryPath } from "@kelp/wire";
import { decodeAttributes } from "../../entry/attributes.ts";
import type { PathPlace } from "../../list/path-place.ts";
import { textAfterPrefix } from "../../list/text-order.ts";
import type { PrefixJob } from "./job-rows.ts";
import { NO_CONTENT, contentOf } from "./content-rows.ts";
import type { EntryRow } from "./entry-row.ts";
import type { HotEntries } from "./hot-entries.ts";
import { checkSum, contentSum, damaged, entrySum } from "./row-sums.ts";

export interface StoredEntry extends EntryRow {
  readonly sum: number | null;
}

interface WholeRow extends StoredEntry {
  readonly bytes: Uint8Array | null;
  readonly contentSum: number | null;
}

/** The columns of `EntryRow`, of entries and of past entries alike. */
export const ROW_COLUMNS = `path, size_bytes AS sizeBytes, modified_ms AS modifiedMs, etag, chunk_count AS chunkCount,
  position, content_id AS contentId, attributes, expires_ms AS expiresMs`;
/** The columns of `StoredEntry`. */
export const ENTRY_COLUMNS = `${ROW_COLUMNS}, entries.sum AS sum`;

/**
 * The rows of entries, one statement per method. Every row read is checked against its sum (`entry-corrupt`), but where a
 * method says that it leaves that to its caller.
 */
export class EntryRows {
  readonly #hashes: Hashes;
  /** Told of every write. */
  readonly #hot: HotEntries;
  readonly #select: SqlStatement<StoredEntry>;
  readonly #selectWhole: SqlStatement<WholeRow>;
  readonly #selectFrom: Readonly<Record<PathPlace["bound"], SqlStatement<StoredEntry>>>;
  readonly #selectRange: Readonly<Record<PathPlace["bound"], SqlStatement<StoredEntry>>>;
  readonly #selectExpired: SqlStatement<{ readonly treeId: number; readonly path: EntryPath }>;
  readonly #selectSubjects: SqlStatement<StoredEntry>;
  readonly #selectLongest: SqlStatement<{ bytes: number | null }>;
  readonly #upsert: SqlStatement<unknown>;
  readonly #delete: SqlStatement<unknown>;

  constructor(database: SqlDatabase, hashes: Hashes, hot: HotEntries) {
    this.#hashes = hashes;
    this.#hot = hot;
    const select = (where: string): SqlStatement<StoredEntry> =>
      database.prepare(`SELECT ${ENTRY_COLUMNS} FROM entries WHERE tree_id = ? AND ${where}`);
    this.#select = select("path = ?");
    this.#selectWhole = database.prepare(
      `SELECT ${ENTRY_COLUMNS}, contents.bytes AS bytes, contents.sum AS contentSum
       FROM entries LEFT JOIN contents ON contents.id = entries.content_id
       WHERE tree_id = ? AND path = ?`,
    );
    this.#selectFrom = {
      ">=": select("path >= ? ORDER BY path LIMIT ?"),
      ">": select("path > ? ORDER BY path LIMIT ?"),
    };
    this.#selectRange = {
      ">=": select("path >= ? AND path < ? ORDER BY path LIMIT ?"),
      ">": select("path > ? AND path < ? ORDER BY path LIMIT ?"),
    };
    this.#selectExpired = database.prepare(
      `SELECT tree_id AS treeId, path FROM entries
       WHERE expires_ms > 0 AND expires_ms <= ? ORDER BY expires_ms LIMIT ?`,
    );
    this.#selectSubjects = select(
      "path >= ?2 AND (?3 IS NULL OR path < ?3) AND position < ?4 ORDER BY path LIMIT ?5",
    );
    this.#selectLongest = database.prepare(
      `SELECT max(length(CAST(path AS BLOB))) AS bytes FROM entries
       WHERE tree_id = ? AND path >= ? AND (?3 IS NULL OR path < ?3)`,
    );
    this.#upsert = database.prepare(
      `INSERT OR REPLACE INTO entries
       (tree_id, path, size_bytes, modified_ms, etag, chunk_count, position, content_id, attributes, expires_ms, sum)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#delete = database.prepare("DELETE FROM entries WHERE tree_id = ? AND path = ?");
  }

  find(treeId: number, path: EntryPath): EntryRow | undefined {
    const row = this.#select.get(treeId, path);
    if (row !== undefined) this.check(row);
    return row;
  }

  /** Whether there is a row, damaged or not. */
  has(treeId: number, path: EntryPath): boolean {
    return this.#select.get(treeId, path) !== undefined;
  }

  /** The entry with its content, by one statement, and its row; `undefined` when its time is over at `nowMs`. */
  findWhole(
    treeId: number,
    path: EntryPath,
    nowMs: number,
  ): { readonly row: EntryRow; readonly entry: Entry } | undefined {
    const found = this.#selectWhole.get(treeId, path);
    if (found === undefined) return undefined;
    const { bytes } = found;
    const row = withoutContent(found);
    this.check(row);
    if (isExpired(row, nowMs)) return undefined;
    if (bytes !== null) {
      const sum = contentSum(this.#hashes, row.contentId, bytes);
      checkSum("the content of an entry", found.contentSum, sum);
    }
    if (bytes === null && row.contentId !== NO_CONTENT) {
      throw damaged("content of an entry is absent");
    }
    const content: Content =
      bytes === null
        ? { kind: "inline", bytes: new Uint8Array(0) }
        : contentOf(bytes, row.chunkCount);
    return { row, entry: entryOf(row, content) };
  }

  /** In order, from `start` up to but not `end`. */
  range(treeId: number, start: string, end: string | undefined, limit: number): EntryRow[] {
    const rows = this.peek(treeId, { path: start, bound: ">=" }, { end, limit });
    for (const row of rows) this.check(row);
    return rows;
  }

  /** As `range`, unchecked: who uses more of a row than its path checks it. */
  peek(
    treeId: number,
    start: PathPlace,
    run: { readonly end: string | undefined; readonly limit: number },
  ): StoredEntry[] {
    return run.end === undefined
      ? this.#selectFrom[start.bound].all(treeId, start.path, run.limit)
      : this.#selectRange[start.bound].all(treeId, start.path, run.end, run.limit);
  }

  /** Rows that a prefix job is about, from the first on; unchecked. */
  subjects(job: PrefixJob, limit: number): StoredEntry[] {
    return this.#selectSubjects.all(
      job.treeId,
      job.source,
      textAfterPrefix(job.source) ?? null,
      job.position,
      limit,
    );
  }

  /** Rows whose time is over at `nowMs`, the longest first. */
  expired(nowMs: number, limit: number): { readonly treeId: number; readonly path: EntryPath }[] {
    return this.#selectExpired.all(nowMs, limit);
  }

  /** In bytes of UTF-8, of the paths from `start` up to but not `end`. */
  longestPathBytes(treeId: number, start: string, end: string | undefined): number {
    return this.#selectLongest.get(treeId, start, end ?? null)?.bytes ?? 0;
  }

  put(treeId: number, row: EntryRow): void {
    this.#write(treeId, row, entrySum(this.#hashes, row));
    this.#hot.forget(treeId, row.path);
  }

  /** Puts a row that came from elsewhere, whose sum was `isSound`; damage stays damage under its new sum. */
  putMoved(treeId: number, row: EntryRow, isSound: IsSound): void {
    const sum = entrySum(this.#hashes, row);
    this.#write(treeId, row, isSound === "sound" ? sum : ~sum);
    this.#hot.forget(treeId, row.path);
  }

  delete(treeId: number, path: EntryPath): void {
    this.#delete.run(treeId, path);
    this.#hot.forget(treeId, path);
  }

  check(row: EntryRow): void {
    checkSum("an entry", row.sum ?? null, entrySum(this.#hashes, row));
  }

  /** Of a row that was read unchecked. */
  isSound(row: EntryRow): IsSound {
    return row.sum === undefined || row.sum === null || row.sum === entrySum(this.#hashes, row)
      ? "sound"
      : "damaged";
  }

  // oxlint-disable-next-line max-params -- the three are of three types and private to this class
  #write(treeId: number, row: EntryRow, sum: number): void {
    assert(row.expiresMs >= 0, "a lifetime ends at a date");
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
      row.expiresMs,
      sum,
    );
  }
}

/** Name by name: who keeps the row shall not keep the content with it. */
function withoutContent(row: WholeRow): StoredEntry {
  return {
    path: row.path,
    sizeBytes: row.sizeBytes,
    modifiedMs: row.modifiedMs,
    etag: row.etag,
    chunkCount: row.chunkCount,
    position: row.position,
    contentId: row.contentId,
    attributes: row.attributes,
    expiresMs: row.expiresMs,
    sum: row.sum,
  };
}

export type IsSound = "sound" | "damaged";

/** An entry is absent from its date on. */
export function isExpired(row: { readonly expiresMs: number }, nowMs: number): boolean {
  return row.expiresMs > 0 && row.expiresMs <= nowMs;
}

export function entryOf(row: EntryRow, content: Content): Entry {
  return { ...headOf(row), content };
}

export function headOf(row: EntryRow): EntryHead {
  const { path, sizeBytes, modifiedMs, etag, position, expiresMs } = row;
  const attributes = decodeAttributes(row.attributes);
  return expiresMs > 0
    ? { path, sizeBytes, modifiedMs, etag, attributes, position, expiresMs }
    : { path, sizeBytes, modifiedMs, etag, attributes, position };
}
