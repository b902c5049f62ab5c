import type { SqlDatabase, SqlStatement } from "@kelp/base";
import type { Tree, TreeName } from "@kelp/wire";
import { TREE_CACHE_MAX } from "../../limits.ts";
import type { StoreTables } from "./store-tables.ts";

/**
 * What a process that only reads keeps in memory of a database that another changes.
 *
 * Invariant: what is kept was read from states that are no older than `#version`. So it may be gone by while the database has that version,
 * and is forgotten as soon as it has another.
 */
export class NewestState {
  readonly #database: SqlDatabase;
  readonly #tables: Pick<StoreTables, "trees" | "hot">;
  /** Any read: it fixes the state that a snapshot sees. */
  readonly #look: SqlStatement<unknown>;
  /** As they show outside. Each is asked for in every request, and changes with every write. */
  readonly #shown = new Map<TreeName, Tree>();
  #version: number | undefined;

  constructor(database: SqlDatabase, tables: Pick<StoreTables, "trees" | "hot">) {
    this.#database = database;
    this.#tables = tables;
    this.#look = database.prepare("PRAGMA data_version");
  }

  /** To be called before memory is asked. */
  forgetOlder(): void {
    const version = this.#database.version();
    if (version === this.#version) return;
    this.#forget();
    this.#version = version;
  }

  /** What `read` reads before it first waits is of one state. */
  read<Value>(read: () => Value): Value {
    return this.#database.snapshot(() => {
      this.forgetOlder();
      this.#look.get();
      // The snapshot may be of a newer state than memory is.
      if (this.#database.version() !== this.#version) this.#forget();
      return read();
    });
  }

  /**
   * The same for what is a statement or two, most often: read as it is, without a snapshot around it, and once more in one where a commit
   * came in between.
   */
  readBriefly<Value>(read: () => Promise<Value>): Promise<Value> {
    this.forgetOlder();
    const first = read();
    if (this.#database.version() === this.#version) return first;
    // It is of two states, and so is what went wrong with it.
    first.catch(() => undefined);
    return this.read(read);
  }

  /** One row, which is of one state by itself, or memory. Throws what reading a row throws. */
  findTree(name: TreeName): Tree | undefined {
    this.forgetOlder();
    const known = this.#shown.get(name);
    if (known !== undefined) return known;
    const tree = this.#tables.trees.peek(name);
    if (tree === undefined) return undefined;
    if (this.#shown.size >= TREE_CACHE_MAX) this.#shown.clear();
    this.#shown.set(name, tree);
    return tree;
  }

  #forget(): void {
    this.#tables.trees.forget();
    this.#tables.hot.clear();
    this.#shown.clear();
  }
}
