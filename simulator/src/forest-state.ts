import { must } from "@kelp/base";
import type { TreeName } from "@kelp/wire";
import { type Value, bytesOf, changed, describeObject } from "./worker-state.ts";

/** One entry of a forest. */
export interface Leaf {
  readonly value: Value;
  /** What was appended since. */
  readonly pieces?: readonly Value[];
  /** From then on it is absent. Absent: never. */
  readonly expiresMs?: number;
}

/** The label of the last piece is that of the whole. */
export function withPiece(leaf: Leaf, piece: Value): Leaf {
  return { ...leaf, pieces: [...(leaf.pieces ?? []), piece] };
}

function contentOf({ value, pieces = [] }: Leaf): { bytes: Uint8Array; label: string } {
  const all = [value, ...pieces];
  return { bytes: Buffer.concat(all.map(bytesOf)), label: must(all.at(-1)).label };
}

export type Leaves = ReadonlyMap<string, Leaf>;

export interface FrozenTree {
  readonly tree: TreeName;
  readonly name: string;
  readonly leaves: Leaves;
  /** Its moment, by which the lifetimes in it are judged. */
  readonly createdMs: number;
}

/** Whole trees that one worker alone changes, with snapshots and copies of them. Never changed in place. */
export interface ForestState {
  readonly trees: ReadonlyMap<TreeName, Leaves>;
  /** By `nameOf`. */
  readonly snapshots: ReadonlyMap<string, FrozenTree>;
}

export function nameOf(tree: TreeName, snapshot: string): string {
  return `${tree}@${snapshot}`;
}

export function withLeaf(
  state: ForestState,
  tree: TreeName,
  path: string,
  leaf: Leaf | undefined,
): ForestState {
  return withTree(state, tree, changed(state.trees.get(tree) ?? new Map(), path, leaf));
}

export function withTree(
  state: ForestState,
  tree: TreeName,
  leaves: Leaves | undefined,
): ForestState {
  return { ...state, trees: changed(state.trees, tree, leaves) };
}

export function withSnapshot(
  state: ForestState,
  name: string,
  snapshot: FrozenTree | undefined,
): ForestState {
  return { ...state, snapshots: changed(state.snapshots, name, snapshot) };
}

/** A tree goes with its snapshots; copies of it stay. */
export function withoutTree(state: ForestState, tree: TreeName): ForestState {
  const snapshots = new Map([...state.snapshots].filter(([, each]) => each.tree !== tree));
  return { ...withTree(state, tree, undefined), snapshots };
}

/** What stands below `source` stands below `target`. Where something stands there already, one of the two had expired: else it is refused. */
export function movedLeaves(leaves: Leaves, source: string, target: string): Leaves {
  const next = new Map(leaves);
  const below = [...leaves].filter(([path]) => path.startsWith(source));
  for (const [path] of below) next.delete(path);
  for (const [path, leaf] of below) {
    const place = target + path.slice(source.length);
    if (lastsUntil(leaf) > lastsUntil(next.get(place))) next.set(place, leaf);
  }
  return next;
}

function lastsUntil(leaf: Leaf | undefined): number {
  return leaf === undefined ? 0 : (leaf.expiresMs ?? Number.POSITIVE_INFINITY);
}

export function withoutPrefix(leaves: Leaves, prefix: string): Leaves {
  return new Map([...leaves].filter(([path]) => !path.startsWith(prefix)));
}

/** What readers see at a time: a line for each tree, snapshot and entry, sorted. */
export function describeForest(state: ForestState, nowMs: number): string {
  const lines: string[] = [];
  for (const [tree, leaves] of state.trees)
    lines.push(`tree ${tree}`, ...linesOf(leaves, tree, nowMs));
  for (const [name, { leaves, createdMs }] of state.snapshots) {
    lines.push(`snapshot ${name}`, ...linesOf(leaves, name, createdMs));
  }
  return lines.sort().join("\n");
}

export function describeLeaf(
  place: string,
  path: string,
  content: { readonly bytes: Uint8Array; readonly label: string },
): string {
  return `${place} ${describeObject(path, content.bytes, content.label)}`;
}

function linesOf(leaves: Leaves, place: string, nowMs: number): string[] {
  return [...leaves]
    .filter(([, { expiresMs }]) => expiresMs === undefined || expiresMs > nowMs)
    .map(([path, leaf]) => describeLeaf(place, path, contentOf(leaf)));
}
