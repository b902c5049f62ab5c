import { type SqlDatabase, type SqlStatement, assertCount } from "@kelp/base";
import type { Change } from "@kelp/wire";
import { CHANGES_KEPT_MAX, CHANGES_PRUNE_EVERY } from "../../limits.ts";

/** What it does not say is nothing. */
export interface NewChange extends Pick<Change, "atMs" | "kind" | "tree"> {
  readonly path?: string;
  readonly target?: string;
  readonly sizeBytes?: number;
  readonly etag?: string;
}

/**
 * The change log. Positions are counted in memory from the newest stored one: they have gaps where a transaction was
 * rolled back, and never repeat, since pruning keeps the newest.
 */
export class ChangeRows {
  readonly #insert: SqlStatement<unknown>;
  readonly #prune: SqlStatement<unknown>;
  readonly #select: SqlStatement<Change>;
  #position: number;

  constructor(database: SqlDatabase) {
    this.#insert = database.prepare(
      "INSERT INTO changes (position, at_ms, kind, tree, path, size_bytes, etag, target) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#prune = database.prepare("DELETE FROM changes WHERE position <= ?");
    this.#select = database.prepare(
      `SELECT position, at_ms AS atMs, kind, tree, path, size_bytes AS sizeBytes, etag, target
       FROM changes WHERE position > ? ORDER BY position LIMIT ?`,
    );
    const newest = database
      .prepare<{ position: number | null }>("SELECT max(position) AS position FROM changes")
      .get();
    this.#position = newest?.position ?? 0;
    assertCount(this.#position, "position is a count");
  }

  /** Records a change inside the running transaction and returns its position. */
  append(change: NewChange): number {
    this.#position += 1;
    const position = this.#position;
    this.#insert.run(
      position,
      change.atMs,
      change.kind,
      change.tree,
      change.path ?? "",
      change.sizeBytes ?? 0,
      change.etag ?? "",
      change.target ?? "",
    );
    if (position % CHANGES_PRUNE_EVERY === 0) this.#prune.run(position - CHANGES_KEPT_MAX);
    return position;
  }

  /**
   * A position that no change has: what is frozen at it holds all changes before. The transaction must record a later one, or
   * a restart, which goes on behind the newest change, would give it out again.
   */
  skip(): number {
    this.#position += 1;
    return this.#position;
  }

  /** Of the newest change. */
  get position(): number {
    return this.#position;
  }

  /** Changes up to this position may be gone. Counted, not looked up: positions have gaps, so the oldest row says nothing. */
  get prunedPosition(): number {
    const prunedAt = this.#position - (this.#position % CHANGES_PRUNE_EVERY);
    return Math.max(0, prunedAt - CHANGES_KEPT_MAX);
  }

  read(query: { readonly after: number; readonly limit: number }): Change[] {
    return this.#select.all(query.after, query.limit);
  }
}
