import type { SeededRandom } from "@kelp/base/testing";
import type { EntryPath, TreeName } from "@kelp/wire";
import {
  type ForestState,
  type Leaf,
  type Leaves,
  describeForest,
  movedLeaves,
  nameOf,
  withLeaf,
  withSnapshot,
  withTree,
  withoutPrefix,
  withPiece,
  withoutTree,
} from "./forest-state.ts";
import type { History } from "./history.ts";
import { observeForest } from "./observe-forest.ts";
import type { StoreRig } from "./store-rig.ts";
import { type Value, bytesOf } from "./worker-state.ts";

const KEYS_PER_PREFIX = 4;
const SNAPSHOTS_MAX = 2;
const COPIES_MAX = 2;
/** More than one transaction takes, so that moving and removing them is a job. */
const MANY = 104;
const PREFIXES = ["a/", "b/", "many/", "more/"];
/** Of the simulated clock, which each operation of anybody moves by one. */
const LIFETIME_MS_MAX = 150;

export interface ForestRecord {
  /** All its trees begin with it, and no other's. */
  readonly prefix: string;
  /** Whether entries have lifetimes. What snapshots count is certain only where none has. */
  readonly hasLifetimes: boolean;
  readonly history: History<ForestState>;
}

/** The tree that a forest begins with, in the state that `createForest` makes. */
export function firstForest({ prefix, hasLifetimes }: Omit<ForestRecord, "history">): ForestState {
  const leaves = new Map<string, Leaf>();
  for (let number = 0; number < (hasLifetimes ? 0 : MANY); number += 1) {
    const value = { seed: number, sizeBytes: 3 + (number % 40), label: `${number}` };
    leaves.set(`many/${number}`, { value });
  }
  return { trees: new Map([[mainOf(prefix), leaves]]), snapshots: new Map() };
}

export async function createForest(rig: StoreRig, state: ForestState): Promise<void> {
  for (const [name, leaves] of state.trees) {
    await rig.filer.createTree({ name, kind: "bucket", owner: "ada" });
    await Promise.all([...leaves].map(([path, leaf]) => put(rig, name, { path, leaf })));
  }
}

/** One worker's operations on whole trees: entries with lifetimes, prefixes, snapshots and copies. */
export class ForestHand {
  readonly #rig: StoreRig;
  readonly #forest: ForestRecord;
  readonly #random: SeededRandom;
  readonly #toleratesFailures: boolean;
  #made = 0;

  constructor(
    rig: StoreRig,
    forest: ForestRecord,
    options: { readonly random: SeededRandom; readonly toleratesFailures: boolean },
  ) {
    this.#rig = rig;
    this.#forest = forest;
    this.#random = options.random;
    this.#toleratesFailures = options.toleratesFailures;
  }

  get #state(): ForestState {
    return this.#forest.history.newest;
  }

  async step(): Promise<void> {
    this.#rig.clock.advance(1);
    const dice = this.#random.below(100);
    if (dice < 24) return this.#put();
    if (dice < 34) return this.#append();
    if (dice < 42) return this.#delete();
    if (dice < 54) return this.#renamePrefix();
    if (dice < 59) return this.#deletePrefix();
    if (dice < 71) return this.#freeze();
    if (dice < 78) return this.#deleteSnapshot();
    if (dice < 87) return this.#copy();
    if (dice < 92) return this.#deleteCopy();
    return this.#read();
  }

  async #put(): Promise<void> {
    const tree = this.#tree();
    const path = this.#path();
    const leaf = this.#leaf();
    await this.#do(`put ${tree} ${path}`, withLeaf(this.#state, tree, path, leaf), () =>
      put(this.#rig, tree, { path, leaf }),
    );
  }

  /** Behind content that a snapshot or a copy may go on with. Lifetimes are left alone: an append to what has expired makes it anew. */
  async #append(): Promise<void> {
    if (this.#forest.hasLifetimes) return this.#put();
    const tree = this.#tree();
    const path = this.#random.chance(0.3) ? this.#path() : this.#anyPath(tree);
    const { value } = this.#leaf();
    const before = this.#leaves(tree).get(path);
    const leaf = before === undefined ? { value } : withPiece(before, value);
    await this.#do(`append to ${tree} ${path}`, withLeaf(this.#state, tree, path, leaf), () =>
      this.#rig.filer.appendFile({
        tree,
        path: path as EntryPath,
        body: bytesOf(value),
        describe: () => ({ attributes: { label: value.label } }),
      }),
    );
  }

  async #delete(): Promise<void> {
    const tree = this.#tree();
    const path = this.#path();
    await this.#do(`delete ${tree} ${path}`, withLeaf(this.#state, tree, path, undefined), () =>
      this.#rig.filer.deleteEntry({ tree, path: path as EntryPath }),
    );
  }

  async #renamePrefix(): Promise<void> {
    const tree = this.#tree();
    const source = this.#random.pick(PREFIXES);
    const target = this.#random.pick(PREFIXES);
    if (source === target) return;
    const next = withTree(this.#state, tree, movedLeaves(this.#leaves(tree), source, target));
    await this.#do(`rename ${tree} ${source} to ${target}`, next, () =>
      this.#rig.filer.renamePrefix(tree, source, target),
    );
  }

  async #deletePrefix(): Promise<void> {
    const tree = this.#tree();
    const prefix = this.#random.pick(PREFIXES);
    const next = withTree(this.#state, tree, withoutPrefix(this.#leaves(tree), prefix));
    await this.#do(`delete ${tree} ${prefix}`, next, () =>
      this.#rig.filer.deletePrefix(tree, prefix),
    );
  }

  async #freeze(): Promise<void> {
    if (this.#state.snapshots.size >= SNAPSHOTS_MAX) return this.#deleteSnapshot();
    const tree = this.#tree();
    const name = `s${(this.#made += 1)}`;
    const leaves = this.#leaves(tree);
    const frozen = { tree, name, leaves, createdMs: this.#rig.clock.nowMs() };
    const withIt = (createdMs: number): ForestState =>
      withSnapshot(this.#state, nameOf(tree, name), { ...frozen, createdMs });
    const { history } = this.#forest;
    history.begin(`freeze ${tree} as ${name}`, withIt(frozen.createdMs), this.#rig.disk.moment);
    const made = await this.#attempt(() => this.#rig.filer.createSnapshot(tree, name));
    if (made?.kind !== "ok") return history.refuse(this.#rig.disk.moment);
    // When it was made is known only now; a cut on the way leaves the same.
    history.settle(withIt(made.value.createdMs), this.#rig.disk.moment);
  }

  async #deleteSnapshot(): Promise<void> {
    const [name, snapshot] = this.#random.pick([...this.#state.snapshots, NOTHING]);
    if (snapshot === undefined) return;
    await this.#do(`delete ${name}`, withSnapshot(this.#state, name, undefined), () =>
      this.#rig.filer.deleteSnapshot(snapshot.tree, snapshot.name),
    );
  }

  async #copy(): Promise<void> {
    if (this.#state.trees.size > COPIES_MAX) return this.#deleteCopy();
    const target = `${this.#forest.prefix}c${(this.#made += 1)}` as TreeName;
    const owner = "ada";
    const [, snapshot] = this.#random.pick([...this.#state.snapshots, NOTHING]);
    const source = snapshot?.tree ?? this.#tree();
    const leaves = snapshot?.leaves ?? this.#leaves(source);
    const request = { source, target, owner, ...(snapshot && { snapshot: snapshot.name }) };
    await this.#do(`copy ${source} to ${target}`, withTree(this.#state, target, leaves), () =>
      this.#rig.filer.cloneTree(request),
    );
  }

  async #deleteCopy(): Promise<void> {
    const main = mainOf(this.#forest.prefix);
    const copies = [...this.#state.trees.keys()].filter((tree) => tree !== main);
    if (copies.length === 0) return;
    const tree = this.#random.pick(copies);
    await this.#do(`delete ${tree}`, withoutTree(this.#state, tree), () =>
      this.#rig.filer.deleteTree(tree, { contents: "discard" }),
    );
  }

  /** What was acknowledged is what is read, while others write. A lifetime may end between two looks. */
  async #read(): Promise<void> {
    if (this.#forest.hasLifetimes) return this.#put();
    const { clock, filer } = this.#rig;
    const wanted = describeForest(this.#state, clock.nowMs());
    const found = (await observeForest(filer, this.#forest.prefix, () => undefined)).join("\n");
    if (found !== wanted) throw new Error(`Read:\n${found}\nExpected:\n${wanted}`);
  }

  async #do(
    what: string,
    next: ForestState,
    work: () => Promise<{ readonly kind: "ok" | "refused" }>,
  ): Promise<void> {
    const { history } = this.#forest;
    const { disk } = this.#rig;
    history.begin(what, next, disk.moment);
    const result = await this.#attempt(work);
    if (result?.kind === "ok") history.acknowledge(disk.moment);
    else history.refuse(disk.moment);
  }

  async #attempt<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!this.#toleratesFailures) throw error;
      return undefined;
    }
  }

  #tree(): TreeName {
    return this.#random.pick([...this.#state.trees.keys()]);
  }

  #leaves(tree: TreeName): Leaves {
    return this.#state.trees.get(tree) ?? new Map();
  }

  #path(): string {
    return `${this.#random.pick(PREFIXES)}${this.#random.below(KEYS_PER_PREFIX)}`;
  }

  /** Of an entry, where there is one. */
  #anyPath(tree: TreeName): string {
    const paths = [...this.#leaves(tree).keys()];
    return paths.length === 0 ? this.#path() : this.#random.pick(paths);
  }

  #leaf(): Leaf {
    const seed = this.#random.uint32();
    const isLong = this.#random.chance(0.4);
    const sizeBytes = isLong ? 1025 + this.#random.below(9000) : this.#random.below(1024);
    const value: Value = { seed, sizeBytes, label: `${seed % 1000}` };
    if (!this.#forest.hasLifetimes || this.#random.chance(0.5)) return { value };
    return { value, expiresMs: this.#rig.clock.nowMs() + 1 + this.#random.below(LIFETIME_MS_MAX) };
  }
}

const NOTHING = ["", undefined] as const;

function mainOf(prefix: string): TreeName {
  return `${prefix}main` as TreeName;
}

function put(
  { filer }: StoreRig,
  tree: TreeName,
  { path, leaf }: { readonly path: string; readonly leaf: Leaf },
): Promise<{ readonly kind: "ok" | "refused" }> {
  const { value, expiresMs } = leaf;
  return filer.writeFile({
    tree,
    path: path as EntryPath,
    body: bytesOf(value),
    describe: () => ({
      attributes: { label: value.label },
      ...(expiresMs !== undefined && { expiresMs }),
    }),
  });
}
