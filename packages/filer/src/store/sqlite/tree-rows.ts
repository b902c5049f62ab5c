import { type SqlDatabase, type SqlStatement, assert } from "@kelp/base";
import type { Attributes, CreateTree, Tree, TreeKind, TreeName, TreeQuota } from "@kelp/wire";
import { decodeAttributes, encodeAttributes } from "../../entry/attributes.ts";
import { TREE_CACHE_MAX } from "../../limits.ts";
import type { JobRows, PrefixJob } from "./job-rows.ts";
import type { CloneBase, SnapshotRows } from "./snapshot-rows.ts";

/** A tree as transactions work on it. Only code inside a transaction changes one. */
export interface TreeState {
  readonly id: number;
  readonly name: TreeName;
  readonly kind: TreeKind;
  readonly owner: string;
  readonly createdMs: number;
  quota: TreeQuota | undefined;
  attributes: Attributes;
  /** Of entries and parts. */
  readonly usage: { bytes: number; entries: number; chunks: number };
  /** The parts' share of it. */
  readonly parts: { bytes: number; chunks: number };
  /** Whether an entry with a lifetime was ever written: only then readers look at dates. */
  hasExpiring: boolean;
  /** Of the newest snapshot; 0 when there is none. Rows up to it are kept when they are replaced. */
  snapshotPosition: number;
  /** While rows are copied from elsewhere. Never together with `prefixJob`. */
  base: CloneBase | undefined;
  prefixJob: PrefixJob | undefined;
}

interface TreeRow {
  readonly id: number;
  readonly name: TreeName;
  readonly kind: TreeKind;
  readonly owner: string;
  readonly createdMs: number;
  readonly quotaBytes: number | null;
  readonly quotaEntries: number | null;
  readonly partBytes: number;
  readonly partChunks: number;
  readonly hasExpiring: number;
  readonly bytes: number;
  readonly entries: number;
  readonly chunks: number;
  readonly attributes: string;
}

const COLUMNS = `id, name, kind, owner, created_ms AS createdMs, quota_bytes AS quotaBytes,
  quota_entries AS quotaEntries, part_bytes AS partBytes, part_chunks AS partChunks, has_expiring AS hasExpiring,
  usage_bytes AS bytes, usage_entries AS entries, usage_chunks AS chunks, attributes`;

/**
 * Trees with their counters, decoded in memory. Counters change in memory during a transaction and are written once at
 * its end by `flush`; between transactions memory and rows are equal. After a rollback `forget` drops all of it.
 */
export class TreeRows {
  readonly #states = new Map<string, TreeState>();
  readonly #changed = new Set<TreeState>();
  readonly #snapshots: SnapshotRows;
  readonly #jobs: JobRows;
  readonly #select: SqlStatement<TreeRow>;
  readonly #selectName: SqlStatement<{ readonly name: TreeName }>;
  readonly #selectAll: SqlStatement<TreeRow>;
  readonly #insert: SqlStatement<unknown>;
  readonly #update: SqlStatement<unknown>;
  readonly #delete: SqlStatement<unknown>;

  constructor(database: SqlDatabase, parts: { snapshots: SnapshotRows; jobs: JobRows }) {
    this.#snapshots = parts.snapshots;
    this.#jobs = parts.jobs;
    this.#selectName = database.prepare("SELECT name FROM trees WHERE id = ?");
    this.#select = database.prepare(`SELECT ${COLUMNS} FROM trees WHERE name = ?`);
    this.#selectAll = database.prepare(`SELECT ${COLUMNS} FROM trees ORDER BY name`);
    this.#insert = database.prepare(
      "INSERT INTO trees (name, kind, owner, created_ms, attributes) VALUES (?, ?, ?, ?, ?)",
    );
    this.#update = database.prepare(
      `UPDATE trees SET quota_bytes = ?, quota_entries = ?, attributes = ?, usage_bytes = ?, usage_entries = ?,
       usage_chunks = ?, part_bytes = ?, part_chunks = ?, has_expiring = ? WHERE id = ?`,
    );
    this.#delete = database.prepare("DELETE FROM trees WHERE id = ?");
  }

  find(name: TreeName): TreeState | undefined {
    const known = this.#states.get(name);
    if (known !== undefined) return known;
    const row = this.#select.get(name);
    if (row === undefined) return undefined;
    const state: TreeState = {
      ...stateOf(row),
      snapshotPosition: this.#snapshots.newestPosition(row.id),
      base: this.#snapshots.baseOf(row.id),
      prefixJob: this.#jobs.prefixOf(row.id),
    };
    this.#states.set(name, state);
    return state;
  }

  /** By memory alone. */
  known(name: TreeName): TreeState | undefined {
    return this.#states.get(name);
  }

  /** As it shows outside, by one row where it is not in memory: a process that only reads has it anew after each change of another. */
  peek(name: TreeName): Tree | undefined {
    const known = this.#states.get(name);
    if (known !== undefined) return treeOf(known);
    const row = this.#select.get(name);
    return row === undefined ? undefined : treeOf(stateOf(row));
  }

  findById(id: number): TreeState | undefined {
    const name = this.#selectName.get(id)?.name;
    return name === undefined ? undefined : this.find(name);
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

  /** Moves the counters of parts. */
  countParts(tree: TreeState, growth: { bytes: number; chunks: number }): void {
    tree.parts.bytes += growth.bytes;
    tree.parts.chunks += growth.chunks;
    assert(tree.parts.bytes >= 0, "bytes of parts are a count");
    assert(tree.parts.chunks >= 0, "chunks of parts are a count");
    this.count(tree, { ...growth, entries: 0 });
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
      const { usage, parts } = tree;
      this.#update.run(
        tree.quota?.bytes ?? null,
        tree.quota?.entries ?? null,
        encodeAttributes(tree.attributes),
        usage.bytes,
        usage.entries,
        usage.chunks,
        parts.bytes,
        parts.chunks,
        tree.hasExpiring ? 1 : 0,
        tree.id,
      );
    }
    this.#changed.clear();
    if (this.#states.size > TREE_CACHE_MAX) this.#states.clear();
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
    quota: quotaOf(row),
    attributes: decodeAttributes(row.attributes),
    usage: { bytes: row.bytes, entries: row.entries, chunks: row.chunks },
    parts: { bytes: row.partBytes, chunks: row.partChunks },
    hasExpiring: row.hasExpiring !== 0,
    snapshotPosition: 0,
    base: undefined,
    prefixJob: undefined,
  };
}

function quotaOf(row: TreeRow): TreeQuota | undefined {
  const { quotaBytes, quotaEntries } = row;
  if (quotaBytes === null && quotaEntries === null) return undefined;
  return {
    ...(quotaBytes !== null && { bytes: quotaBytes }),
    ...(quotaEntries !== null && { entries: quotaEntries }),
  };
}
