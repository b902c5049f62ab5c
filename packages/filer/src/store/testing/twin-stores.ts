import { type Result, type SqlDatabase, assert, must } from "@kelp/base";
import { openDatabase, systemHashes, systemRandom } from "@kelp/base/platform";
import {
  type Chunk,
  type Entry,
  type EntryHead,
  type ListItem,
  type ListQuery,
  type TreeName,
  type UploadId,
  formatFid,
  needleId,
  volumeId,
} from "@kelp/wire";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { FilerStore } from "../filer-store.ts";
import { openSqliteStore } from "../sqlite/sqlite-store.ts";
import { openMemoryStore } from "./memory-store.ts";

/**
 * The store under test and the plain one, on one clock, asked the same. What callers see must be equal after every step;
 * positions are the store's own and are left out, and so are upload ids.
 */
export class TwinStores implements Disposable {
  readonly clock = new ManualClock();
  readonly database: SqlDatabase = openDatabase(":memory:");
  readonly plain: FilerStore;
  #real: FilerStore;
  #needle = 0n;
  /** Ids of one upload in the two stores. */
  readonly uploads: { readonly real: UploadId; readonly plain: UploadId }[] = [];

  readonly #hotBytesMax: number;

  constructor(hotBytesMax: number) {
    this.#hotBytesMax = hotBytesMax;
    const common = { clock: this.clock, random: systemRandom, hashes: systemHashes };
    this.plain = openMemoryStore(common);
    this.#real = this.#open();
  }

  get real(): FilerStore {
    return this.#real;
  }

  /** As after a crash: what stood in memory is gone. */
  restart(): void {
    this.#real[Symbol.dispose]();
    this.#real = this.#open();
  }

  chunk(sizeBytes: number): Chunk {
    this.#needle += 1n;
    return {
      fid: { volumeId: volumeId(1), needleId: needleId(this.#needle), cookie: 7 },
      sizeBytes,
    };
  }

  /** Asks both, and compares what they say. */
  async both<Value>(
    ask: (store: FilerStore, which: "real" | "plain") => Promise<Value>,
    view: (value: Value) => unknown = (value) => value,
  ): Promise<{ readonly real: unknown; readonly plain: unknown; readonly value: Value }> {
    const value = await ask(this.#real, "real");
    const plain = await ask(this.plain, "plain");
    return { real: view(value), plain: view(plain), value };
  }

  /** All background work of both. */
  async settle(): Promise<void> {
    while (await this.#real.reclaim()) continue;
    while (await this.plain.reclaim()) continue;
  }

  [Symbol.dispose](): void {
    this.#real[Symbol.dispose]();
    this.database[Symbol.dispose]();
  }

  #open(): FilerStore {
    return openSqliteStore({
      database: this.database,
      clock: this.clock,
      random: systemRandom,
      hashes: systemHashes,
      defer: (run) => queueMicrotask(run),
      hotBytesMax: this.#hotBytesMax,
    });
  }
}

/** An entry without what differs between stores. */
export function entryView(result: Result<Entry, unknown>): unknown {
  if (result.kind === "refused") return result;
  const { position: _position, ...entry } = result.value;
  return entry;
}

/** The same of a head. */
export function headView(result: Result<EntryHead, unknown>): unknown {
  if (result.kind === "refused") return result;
  const { position: _position, ...head } = result.value;
  return head;
}

/** Everything that callers can see of a store, and what it holds for them. */
export async function viewOf(store: FilerStore): Promise<{
  readonly trees: readonly unknown[];
  readonly garbage: readonly string[];
  readonly references: readonly string[];
}> {
  const trees: unknown[] = [];
  for (const tree of await store.listTrees()) {
    const snapshots = must(valueOf(await store.listSnapshots(tree.name)));
    const kept: unknown[] = [];
    // Usage of snapshots differs: it counts entries whose time was over and that were not yet removed.
    for (const { name } of snapshots) {
      const list = (query: ListQuery) => store.listSnapshotEntries(tree.name, name, query);
      const entries: unknown[] = [];
      for (const item of await allItems(list)) {
        if (item.kind === "prefix") continue;
        entries.push(entryView(await store.getSnapshotEntry(tree.name, name, item.path as never)));
      }
      kept.push({ name, entries });
    }
    const entries: unknown[] = [];
    for (const item of await allItems((query) => store.listEntries(tree.name, query))) {
      if (item.kind === "prefix") continue;
      const whole = await store.getEntry(tree.name, item.path as never);
      entries.push(entryView(whole));
      await checkHead(store, tree.name, whole);
    }
    const { createdMs: _createdMs, ...rest } = tree;
    trees.push({ ...rest, kept, entries });
  }
  const garbage = store
    .listGarbage({ freedMsMax: Number.MAX_SAFE_INTEGER, afterId: 0, limit: 1_000_000 })
    .flatMap(({ chunks }) => chunks.map(({ fid }) => formatFid(fid)));
  const references = store
    .listReferences({ volumeId: volumeId(1), after: undefined, limit: 1_000_000 })
    .map(({ fid }) => formatFid(fid));
  return { trees, garbage: garbage.sort(), references: references.sort() };
}

/** An entry's head is the entry, content apart. */
async function checkHead(
  store: FilerStore,
  tree: TreeName,
  whole: Result<Entry, unknown>,
): Promise<void> {
  if (whole.kind === "refused") return;
  const { content: _content, ...expected } = whole.value;
  const head = must(valueOf(await store.headEntry(tree, expected.path)));
  assert(Bun.deepEquals(head, expected), `the head of ${expected.path} is that of the entry`);
}

async function allItems(
  list: (
    query: ListQuery,
  ) => Promise<Result<{ items: readonly ListItem[]; next: string | undefined }, unknown>>,
): Promise<ListItem[]> {
  const items: ListItem[] = [];
  let after: string | undefined;
  do {
    const page = must(valueOf(await list({ limit: 1000, ...(after !== undefined && { after }) })));
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

function valueOf<Value>(result: Result<Value, unknown>): Value | undefined {
  return result.kind === "ok" ? result.value : undefined;
}

export function treeName(text: string): TreeName {
  return text as TreeName;
}
