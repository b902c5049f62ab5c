import { type SqlDatabase, type SqlStatement, assert } from "@kelp/base";
import type { Attributes, CreateTree, Tree, TreeKind, TreeName, TreeQuota } from "@kelp/wire";
import { decodeAttributes, encodeAttributes } from "../../entry/attributes.ts";

/** A tree as transactions work on it. Only code inside a transaction changes one. */
export interface TreeState {
  readonly id: number;
  readonly name: TreeName;
  readonly kind: TreeKind;
  readonly owner: string;
  readonly createdMs: number;
  quota: TreeQuota | undefined;
  attributes: Attributes;
  readonly usage: { bytes: number; entries: number; chunks: number };
}

interface TreeRow {
  readonly id: number;
  readonly name: TreeName;
  readonly kind: TreeKind;
  readonly owner: string;
  readonly createdMs: number;
  readonly quotaBytes: number | null;
  readonly bytes: number;
  readonly entries: number;
  readonly chunks: number;
  readonly attributes: string;
}

const COLUMNS = `id, name, kind, owner, created_ms AS createdMs, quota_bytes AS quotaBytes,
  usage_bytes AS bytes, usage_entries AS entries, usage_chunks AS chunks, attributes`;

/**
 * Trees with their counters, decoded in memory. Counters change in memory during a transaction and are written once at
 * its end by `flush`; between transactions memory and rows are equal. After a rollback `forget` drops all of it.
 */
export class TreeRows {
  readonly #states = new Map<string, TreeState>();
  readonly #changed = new Set<TreeState>();
  readonly #cachedMax: number;
  readonly #select: SqlStatement<TreeRow>;
  readonly #selectAll: SqlStatement<TreeRow>;
  readonly #insert: SqlStatement<unknown>;
  readonly #update: SqlStatement<unknown>;
  readonly #delete: SqlStatement<unknown>;

  /** `cachedMax`: trees kept decoded. 0 where another process changes the rows. */
  constructor(database: SqlDatabase, cachedMax: number) {
    this.#cachedMax = cachedMax;
    this.#select = database.prepare(`SELECT ${COLUMNS} FROM trees WHERE name = ?`);
    this.#selectAll = database.prepare(`SELECT ${COLUMNS} FROM trees ORDER BY name`);
    this.#insert = database.prepare(
      "INSERT INTO trees (name, kind, owner, created_ms, attributes) VALUES (?, ?, ?, ?, ?)",
    );
    this.#update = database.prepare(
      `UPDATE trees SET quota_bytes = ?, attributes = ?, usage_bytes = ?, usage_entries = ?, usage_chunks = ?
       WHERE id = ?`,
    );
    this.#delete = database.prepare("DELETE FROM trees WHERE id = ?");
  }

  find(name: TreeName): TreeState | undefined {
    const known = this.#states.get(name);
    if (known !== undefined) return known;
    const row = this.#select.get(name);
    if (row === undefined) return undefined;
    const state = stateOf(row);
    if (this.#cachedMax > 0) this.#states.set(name, state);
    return state;
  }

  all(): Tree[] {
    return this.#selectAll.all().map((row) => treeOf(stateOf(row)));
  }

  insert(request: CreateTree, createdMs: number): TreeState | undefined {
    const attributes = encodeAttributes(request.attributes ?? {});
    this.#insert.run(request.name, request.kind, request.owner, createdMs, attributes);
    return this.find(request.name);
  }

  /** Says that `tree` differs from its row. */
  touch(tree: TreeState): void {
    this.#changed.add(tree);
  }

  /** Moves the counters, which can never fall below zero. */
  count(tree: TreeState, growth: { bytes: number; entries: number; chunks: number }): void {
    tree.usage.bytes += growth.bytes;
    tree.usage.entries += growth.entries;
    tree.usage.chunks += growth.chunks;
    assert(tree.usage.bytes >= 0, "a tree's bytes are a count");
    assert(tree.usage.entries >= 0, "a tree's entries are a count");
    assert(tree.usage.chunks >= 0, "a tree's chunks are a count");
    this.#changed.add(tree);
  }

  delete(tree: TreeState): void {
    this.#delete.run(tree.id);
    this.#states.delete(tree.name);
    this.#changed.delete(tree);
  }

  /** Writes what changed, inside the transaction. */
  flush(): void {
    for (const tree of this.#changed) {
      const { usage } = tree;
      this.#update.run(
        tree.quota?.bytes ?? null,
        encodeAttributes(tree.attributes),
        usage.bytes,
        usage.entries,
        usage.chunks,
        tree.id,
      );
    }
    this.#changed.clear();
    if (this.#states.size > this.#cachedMax) this.#states.clear();
  }

  forget(): void {
    this.#states.clear();
    this.#changed.clear();
  }
}

/** A copy that later transactions do not change. */
export function treeOf(state: TreeState): Tree {
  return {
    name: state.name,
    kind: state.kind,
    owner: state.owner,
    createdMs: state.createdMs,
    usage: { ...state.usage },
    quota: state.quota,
    attributes: state.attributes,
  };
}

function stateOf(row: TreeRow): TreeState {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    owner: row.owner,
    createdMs: row.createdMs,
    quota: row.quotaBytes === null ? undefined : { bytes: row.quotaBytes },
    attributes: decodeAttributes(row.attributes),
    usage: { bytes: row.bytes, entries: row.entries, chunks: row.chunks },
  };
}
