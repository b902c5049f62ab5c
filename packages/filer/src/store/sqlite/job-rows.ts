import type { SqlDatabase, SqlStatement } from "@kelp/base";

/** A prefix whose rows are moved, or deleted when `target` is null, while readers see it done. */
export interface PrefixJob {
  readonly treeId: number;
  /** Of the change that began it: it is about the rows from before. */
  readonly position: number;
  readonly source: string;
  readonly target: string | null;
}

/** Work that was promised by a transaction and is done by later ones. */
export interface Job {
  readonly id: number;
  readonly kind: JobKind;
  /** A tree's id, or an upload's number. */
  readonly subject: number;
  /** Where the next round begins. */
  readonly path: string;
  readonly until: number;
}

export type JobKind =
  /** Removes all rows of a tree that is gone. */
  | "drop-tree"
  /** Removes the parts of an upload that is gone. */
  | "drop-parts"
  /** Removes former rows that no snapshot sees any more. */
  | "prune-past";

/** Work that waits to be done in the background. */
export class JobRows {
  readonly #insert: SqlStatement<unknown>;
  readonly #selectNext: SqlStatement<Job>;
  readonly #update: SqlStatement<unknown>;
  readonly #delete: SqlStatement<unknown>;
  readonly #insertPrefix: SqlStatement<unknown>;
  readonly #selectPrefix: SqlStatement<PrefixJob>;
  readonly #selectNextPrefix: SqlStatement<PrefixJob>;
  readonly #deletePrefix: SqlStatement<unknown>;

  constructor(database: SqlDatabase) {
    this.#insert = database.prepare("INSERT INTO jobs (kind, subject) VALUES (?, ?)");
    this.#selectNext = database.prepare(
      "SELECT id, kind, subject, path, until FROM jobs WHERE id > ? ORDER BY id LIMIT 1",
    );
    this.#update = database.prepare("UPDATE jobs SET path = ?, until = ? WHERE id = ?");
    this.#delete = database.prepare("DELETE FROM jobs WHERE id = ?");
    const columns = "tree_id AS treeId, position, source, target";
    this.#insertPrefix = database.prepare(
      "INSERT INTO prefix_jobs (tree_id, position, source, target) VALUES (?, ?, ?, ?)",
    );
    this.#selectPrefix = database.prepare(`SELECT ${columns} FROM prefix_jobs WHERE tree_id = ?`);
    this.#selectNextPrefix = database.prepare(
      `SELECT ${columns} FROM prefix_jobs WHERE tree_id > ? ORDER BY tree_id LIMIT 1`,
    );
    this.#deletePrefix = database.prepare("DELETE FROM prefix_jobs WHERE tree_id = ?");
  }

  add(kind: JobKind, subject: number): void {
    this.#insert.run(kind, subject);
  }

  after(id: number): Job | undefined {
    return this.#selectNext.get(id);
  }

  advance(job: Job, place: { readonly path: string; readonly until: number }): void {
    this.#update.run(place.path, place.until, job.id);
  }

  finish(job: Job): void {
    this.#delete.run(job.id);
  }

  addPrefix(job: PrefixJob): void {
    this.#insertPrefix.run(job.treeId, job.position, job.source, job.target);
  }

  prefixOf(treeId: number): PrefixJob | undefined {
    return this.#selectPrefix.get(treeId);
  }

  prefixAfter(treeId: number): PrefixJob | undefined {
    return this.#selectNextPrefix.get(treeId);
  }

  finishPrefix(treeId: number): void {
    this.#deletePrefix.run(treeId);
  }
}
