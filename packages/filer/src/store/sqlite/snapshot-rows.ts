import type { SqlDatabase, SqlStatement } from "@kelp/base";
import type { Snapshot } from "@kelp/wire";

export interface SnapshotRow {
  readonly id: number;
  readonly treeId: number;
  /** Null when its name is gone while a copy is still made of it. */
  readonly name: string | null;
  readonly position: number;
  readonly createdMs: number;
  readonly bytes: number;
  readonly entries: number;
  readonly chunks: number;
}

/** What a copy is made of, and how far the copying has come: rows up to the path `copied` stand in the tree itself. */
export interface CloneBase {
  readonly snapshot: SnapshotRow;
  readonly copied: string;
}

const COLUMNS =
  "snapshots.id AS id, snapshots.tree_id AS treeId, name, position, created_ms AS createdMs, bytes, entries, chunks";

/** Snapshots, and the copies that are being made of them. */
export class SnapshotRows {
  readonly #insert: SqlStatement<unknown>;
  readonly #select: SqlStatement<SnapshotRow>;
  readonly #selectNewest: SqlStatement<SnapshotRow>;
  readonly #selectAll: SqlStatement<SnapshotRow>;
  readonly #unname: SqlStatement<unknown>;
  readonly #delete: SqlStatement<unknown>;
  readonly #selectUse: SqlStatement<{ treeId: number }>;
  readonly #insertBase: SqlStatement<unknown>;
  readonly #selectBase: SqlStatement<SnapshotRow & { readonly copied: string }>;
  readonly #updateBase: SqlStatement<unknown>;
  readonly #deleteBase: SqlStatement<unknown>;
  readonly #selectClone: SqlStatement<{ treeId: number }>;
  readonly #insertWhiteout: SqlStatement<unknown>;
  readonly #selectWhiteout: SqlStatement<{ found: number }>;
  readonly #deleteWhiteouts: SqlStatement<unknown>;
  readonly #selectWhiteouts: SqlStatement<{ path: string }>;

  constructor(database: SqlDatabase) {
    this.#insert = database.prepare(
      "INSERT INTO snapshots (tree_id, name, position, created_ms, bytes, entries, chunks) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#select = database.prepare(
      `SELECT ${COLUMNS} FROM snapshots WHERE tree_id = ? AND name = ?`,
    );
    this.#selectNewest = database.prepare(
      `SELECT ${COLUMNS} FROM snapshots WHERE tree_id = ? ORDER BY position DESC LIMIT 1`,
    );
    this.#selectAll = database.prepare(
      `SELECT ${COLUMNS} FROM snapshots WHERE tree_id = ? ORDER BY position`,
    );
    this.#unname = database.prepare("UPDATE snapshots SET name = NULL WHERE id = ?");
    this.#delete = database.prepare("DELETE FROM snapshots WHERE id = ?");
    this.#selectUse = database.prepare(
      "SELECT tree_id AS treeId FROM clone_bases WHERE snapshot_id = ? LIMIT 1",
    );
    this.#insertBase = database.prepare(
      "INSERT INTO clone_bases (tree_id, snapshot_id, copied) VALUES (?, ?, '')",
    );
    this.#selectBase = database.prepare(
      `SELECT ${COLUMNS}, copied FROM clone_bases JOIN snapshots ON snapshots.id = snapshot_id
       WHERE clone_bases.tree_id = ?`,
    );
    this.#updateBase = database.prepare("UPDATE clone_bases SET copied = ? WHERE tree_id = ?");
    this.#deleteBase = database.prepare("DELETE FROM clone_bases WHERE tree_id = ?");
    this.#selectClone = database.prepare(
      "SELECT tree_id AS treeId FROM clone_bases WHERE tree_id > ? ORDER BY tree_id LIMIT 1",
    );
    this.#insertWhiteout = database.prepare(
      "INSERT OR IGNORE INTO whiteouts (tree_id, path) VALUES (?, ?)",
    );
    this.#selectWhiteout = database.prepare(
      "SELECT 1 AS found FROM whiteouts WHERE tree_id = ? AND path = ?",
    );
    this.#selectWhiteouts = database.prepare(
      "SELECT path FROM whiteouts WHERE tree_id = ? ORDER BY path LIMIT ?",
    );
    this.#deleteWhiteouts = database.prepare(
      "DELETE FROM whiteouts WHERE tree_id = ? AND path <= ?",
    );
  }

  insert(row: Omit<SnapshotRow, "id">): SnapshotRow | undefined {
    const { treeId, name, position, createdMs, bytes, entries, chunks } = row;
    this.#insert.run(treeId, name, position, createdMs, bytes, entries, chunks);
    return this.#selectNewest.get(treeId);
  }

  find(treeId: number, name: string): SnapshotRow | undefined {
    return this.#select.get(treeId, name);
  }

  /** Oldest first, those without a name among them. */
  all(treeId: number): SnapshotRow[] {
    return this.#selectAll.all(treeId);
  }

  /** 0 when there is none. */
  newestPosition(treeId: number): number {
    return this.#selectNewest.get(treeId)?.position ?? 0;
  }

  unname(snapshot: SnapshotRow): void {
    this.#unname.run(snapshot.id);
  }

  delete(snapshot: SnapshotRow): void {
    this.#delete.run(snapshot.id);
  }

  /** Whether a copy is being made of it. */
  isInUse(snapshot: SnapshotRow): boolean {
    return this.#selectUse.get(snapshot.id) !== undefined;
  }

  insertBase(treeId: number, snapshot: SnapshotRow): void {
    this.#insertBase.run(treeId, snapshot.id);
  }

  baseOf(treeId: number): CloneBase | undefined {
    const row = this.#selectBase.get(treeId);
    return row === undefined ? undefined : { snapshot: row, copied: row.copied };
  }

  setCopied(treeId: number, copied: string): void {
    this.#updateBase.run(copied, treeId);
  }

  deleteBase(treeId: number): void {
    this.#deleteBase.run(treeId);
  }

  /** The next tree whose rows are still being copied. */
  cloneAfter(treeId: number): number | undefined {
    return this.#selectClone.get(treeId)?.treeId;
  }

  /** Says that the copy has no entry here, whatever its base has. */
  whiteOut(treeId: number, path: string): void {
    this.#insertWhiteout.run(treeId, path);
  }

  isWhitedOut(treeId: number, path: string): boolean {
    return this.#selectWhiteout.get(treeId, path) !== undefined;
  }

  dropWhiteouts(treeId: number, upTo: string): void {
    this.#deleteWhiteouts.run(treeId, upTo);
  }

  whiteouts(treeId: number, limit: number): { readonly path: string }[] {
    return this.#selectWhiteouts.all(treeId, limit);
  }
}

export function snapshotOf(row: SnapshotRow & { readonly name: string }): Snapshot {
  const { name, createdMs, position, bytes, entries, chunks } = row;
  return { name, createdMs, position, usage: { bytes, entries, chunks } };
}
