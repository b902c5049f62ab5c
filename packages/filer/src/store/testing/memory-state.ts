import { must } from "@kelp/base";
import {
  type Attributes,
  type Change,
  type Chunk,
  type Content,
  type EntryPath,
  type Entry,
  type Tree,
  type TreeKind,
  type TreeName,
  type TreeQuota,
  type TreeUsage,
  formatFid,
} from "@kelp/wire";
import type { ExtendEntry, Garbage } from "../filer-store.ts";

/** One content, and how many rows of trees and snapshots name it. */
export interface MemoryContent {
  content: Content;
  readonly listed: readonly Chunk[];
  holders: number;
}

export interface MemoryRow {
  readonly path: EntryPath;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  readonly attributes: Attributes;
  readonly position: number;
  readonly expiresMs: number;
  readonly held: MemoryContent;
}

export interface MemoryPart {
  readonly number: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  readonly attributes: Attributes;
  readonly chunks: readonly Chunk[];
  readonly listed: readonly Chunk[];
}

export interface MemoryUpload {
  readonly id: string;
  readonly path: EntryPath;
  readonly owner: string;
  readonly createdMs: number;
  readonly attributes: Attributes;
  readonly parts: Map<number, MemoryPart>;
}

export interface MemorySnapshot {
  readonly position: number;
  readonly createdMs: number;
  readonly rows: ReadonlyMap<string, MemoryRow>;
}

export interface MemoryTree {
  readonly name: TreeName;
  readonly kind: TreeKind;
  readonly owner: string;
  readonly createdMs: number;
  quota: TreeQuota | undefined;
  attributes: Attributes;
  readonly rows: Map<string, MemoryRow>;
  readonly uploads: Map<string, MemoryUpload>;
  readonly completed: Map<
    string,
    { readonly parts: string; readonly held: MemoryContent; readonly path: EntryPath }
  >;
  readonly snapshots: Map<string, MemorySnapshot>;
}

/**
 * All that a store keeps, as plain maps: a snapshot is a copy of a map, usage is a sum, and nothing is done later. Slow, in
 * memory only, and simple enough to be right: what the real stores are held against.
 */
export class MemoryState {
  readonly trees = new Map<TreeName, MemoryTree>();
  readonly changes: Change[] = [];
  readonly references = new Map<string, Chunk>();
  garbage: (Garbage & { readonly freedMs: number })[] = [];
  #position = 0;
  #garbageId = 0;

  get position(): number {
    return this.#position;
  }

  record(change: Pick<Change, "atMs" | "kind" | "tree"> & Partial<Change>): number {
    this.#position += 1;
    const rest = { path: "", target: "", sizeBytes: 0, etag: "" };
    this.changes.push({ ...rest, ...change, position: this.#position });
    return this.#position;
  }

  /** A position between changes. */
  skip(): number {
    this.#position += 1;
    return this.#position;
  }

  refer(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) {
      const name = formatFid(chunk.fid);
      if (this.references.has(name))
        throw new Error(`Cannot name chunk ${name}: it is named already`);
      this.references.set(name, chunk);
    }
  }

  hold(content: Content, listed: readonly Chunk[]): MemoryContent {
    this.refer(content.kind === "chunks" ? content.chunks : []);
    this.refer(listed);
    return { content, listed, holders: 1 };
  }

  /** Content that goes on with the `kept` chunks of another, which is left with what is to be freed. */
  extend(
    former: MemoryContent,
    next: Pick<ExtendEntry, "content" | "listed" | "kept"> & { readonly nowMs: number },
  ): MemoryContent {
    const kept = new Set(next.kept.map(({ fid }) => formatFid(fid)));
    const isNew = ({ fid }: Chunk): boolean => !kept.has(formatFid(fid));
    const chunks = former.content.kind === "chunks" ? former.content.chunks : [];
    former.content = { kind: "chunks", chunks: chunks.filter(isNew) };
    const { content, listed = [] } = next;
    this.refer([...content.chunks, ...listed].filter(isNew));
    return { content, listed, holders: 1 };
  }

  release(held: MemoryContent, nowMs: number): void {
    held.holders -= 1;
    if (held.holders > 0) return;
    if (held.content.kind === "chunks") this.free(held.content.chunks, nowMs);
  }

  /** References go at once, but those of listed chunks, which go when their manifest is freed. */
  free(chunks: readonly Chunk[], nowMs: number): void {
    for (const chunk of chunks) this.references.delete(formatFid(chunk.fid));
    this.addGarbage(chunks, nowMs);
  }

  addGarbage(chunks: readonly Chunk[], freedMs: number): void {
    if (chunks.length === 0) return;
    this.#garbageId += 1;
    this.garbage.push({ id: this.#garbageId, freedMs, chunks });
  }

  /** Every row of trees and snapshots, with what it belongs to. */
  *rows(): Generator<{ readonly owner: string; readonly row: MemoryRow }> {
    for (const tree of this.trees.values()) {
      for (const row of tree.rows.values()) yield { owner: `entry ${row.path}`, row };
      for (const snapshot of tree.snapshots.values()) {
        for (const row of snapshot.rows.values()) yield { owner: `former entry ${row.path}`, row };
      }
    }
  }
}

export function chunkCountOf(content: Content): number {
  return content.kind === "chunks" ? content.chunks.length : 0;
}

export function usageOfRows(rows: Iterable<MemoryRow>): TreeUsage {
  const usage = { bytes: 0, entries: 0, chunks: 0 };
  for (const row of rows) {
    usage.bytes += row.sizeBytes;
    usage.entries += 1;
    usage.chunks += chunkCountOf(row.held.content);
  }
  return usage;
}

export function usageOf(tree: MemoryTree): TreeUsage {
  const usage = { ...usageOfRows(tree.rows.values()) };
  let { bytes, chunks } = usage;
  for (const upload of tree.uploads.values()) {
    for (const part of upload.parts.values()) {
      bytes += part.sizeBytes;
      chunks += part.chunks.length;
    }
  }
  return { ...usage, bytes, chunks };
}

export function memoryTreeOf(tree: MemoryTree): Tree {
  const { name, kind, owner, createdMs, quota, attributes } = tree;
  return { name, kind, owner, createdMs, usage: usageOf(tree), quota, attributes };
}

export function memoryEntryOf(row: MemoryRow): Entry {
  const { path, sizeBytes, modifiedMs, etag, attributes, position, expiresMs, held } = row;
  return {
    path,
    sizeBytes,
    modifiedMs,
    etag,
    attributes,
    content: held.content,
    position,
    ...(expiresMs > 0 && { expiresMs }),
  };
}

export function isOver(row: MemoryRow, nowMs: number): boolean {
  return row.expiresMs > 0 && row.expiresMs <= nowMs;
}

/** `must` for a tree that a caller has seen. */
export function treeNamed(state: MemoryState, name: TreeName): MemoryTree {
  return must(state.trees.get(name));
}
