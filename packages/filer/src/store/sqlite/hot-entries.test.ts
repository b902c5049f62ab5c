import { expect, test } from "bun:test";
import { openDatabase, systemHashes, systemRandom } from "@kelp/base/platform";
import type { Entry, EntryPath, TreeName } from "@kelp/wire";
import { codeOf } from "../../testing/index.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { FilerStore } from "../filer-store.ts";
import type { EntryRow } from "./entry-row.ts";
import { HotEntries } from "./hot-entries.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const LARGE = limits(1_000_000);
const TREE = "tree" as TreeName;
const PATH = "a" as EntryPath;

function limits(bytesMax: number): {
  readonly headBytesMax: number;
  readonly contentBytesMax: number;
} {
  return { headBytesMax: bytesMax, contentBytesMax: bytesMax };
}

function row(path: string, etag = "e"): EntryRow {
  return {
    path: path as EntryPath,
    sizeBytes: 0,
    modifiedMs: 0,
    etag,
    chunkCount: 0,
    position: positionOf(path),
    contentId: 0,
    attributes: "",
    expiresMs: 0,
  };
}

/** Each entry was written at another. */
function positionOf(path: string): number {
  return Number(path) >= 0 ? Number(path) : path.charCodeAt(0);
}

function etagOf(hot: HotEntries, path: string, treeId = 1): string | undefined {
  return hot.find(treeId, path as EntryPath)?.row.etag;
}

test("what is written is gone from memory at once, and of no other tree", () => {
  const hot = new HotEntries(LARGE);
  hot.offer(1, row("a", "old"));
  hot.offer(2, row("a", "other"));
  hot.forget(1, PATH);
  expect([etagOf(hot, "a"), etagOf(hot, "a", 2)]).toEqual([undefined, "other"]);
  hot.offer(1, row("a", "new"));
  hot.offer(1, row("a", "newer"));
  expect(etagOf(hot, "a")).toBe("newer");
  hot.clear();
  expect([etagOf(hot, "a"), etagOf(hot, "a", 2)]).toEqual([undefined, undefined]);
});

test("entries in memory take no more than was said", () => {
  const hot = new HotEntries(limits(10_000));
  for (let index = 0; index < 1000; index++) hot.offer(1, row(`${index}`));
  const kept = Array.from({ length: 1000 }, (_, index) => etagOf(hot, `${index}`)).filter(Boolean);
  expect(kept.length).toBe(24);
});

test("reading more than fits, in order, over and over, finds a part of it in memory", () => {
  const hot = new HotEntries(limits(10_000));
  let found = 0;
  for (let read = 0; read < 1000; read++) {
    const path = `${read % 30}`;
    if (etagOf(hot, path) === undefined) hot.offer(1, row(path));
    else found += 1;
  }
  expect(found).toBeGreaterThan(600);
});

test("where memory is full, what is read once pushes out nothing, and what is read again does", () => {
  const hot = new HotEntries(limits(10_000));
  const first = Array.from({ length: 24 }, (_, index) => `${index}`);
  const kept = (): string[] => first.filter((path) => etagOf(hot, path) !== undefined);
  const read = (path: string): void => {
    if (etagOf(hot, path) === undefined) hot.offer(1, row(path));
  };
  for (const path of first) read(path);
  // The one that finds no room any more pushes out the oldest.
  read("24");
  expect(kept()).toEqual(first.slice(1));
  for (let index = 1000; index < 5000; index++) read(`${index}`);
  expect(kept()).toEqual(first.slice(1));
  for (let round = 0; round < 30; round++) {
    for (let index = 1000; index < 1020; index++) read(`${index}`);
  }
  expect(kept().length).toBeLessThan(10);
});

test("what is chosen by a full memory has its content there from the read that it was chosen in", () => {
  const hot = new HotEntries(limits(10_000));
  const bytes = new Uint8Array(100);
  const read = (path: string): void => {
    const known = hot.find(1, path as EntryPath) ?? hot.offer(1, row(path));
    const entry = { ...row(path), attributes: {}, content: { kind: "inline", bytes } } as const;
    if (known.whole === undefined) hot.offerWhole(known, entry);
  };
  for (let index = 0; index < 1000; index++) read(`${index}`);
  for (let round = 0; round < 8; round++) {
    for (const path of ["2000", "2001", "2002"]) read(path);
  }
  for (const path of ["2000", "2001", "2002"]) {
    expect(hot.find(1, path as EntryPath)?.whole?.path).toBe(path as EntryPath);
  }
});

test("content makes room for content, and the heads stay", () => {
  const hot = new HotEntries({ headBytesMax: 100_000, contentBytesMax: 10_000 });
  const bytes = new Uint8Array(1000);
  for (let index = 0; index < 100; index++) {
    const each = row(`${index}`);
    const entry = { ...each, attributes: {}, content: { kind: "inline", bytes } } as const;
    hot.offerWhole(hot.offer(1, each), entry);
  }
  const all = Array.from({ length: 100 }, (_, index) => hot.find(1, `${index}` as EntryPath));
  expect(all.filter((each) => each !== undefined).length).toBe(100);
  const whole = all.filter((each) => each?.whole !== undefined).length;
  expect(whole).toBeGreaterThan(4);
  expect(whole).toBeLessThan(8);
});

test("an entry larger than the memory is not kept, and with none at all nothing is", () => {
  const hot = new HotEntries(limits(2000));
  hot.offer(1, { ...row("a"), attributes: "x".repeat(3000) });
  expect(etagOf(hot, "a")).toBeUndefined();
  const none = new HotEntries(limits(0));
  none.offer(1, row("a"));
  expect(etagOf(none, "a")).toBeUndefined();
});

async function openStore(): Promise<
  Disposable & { readonly store: FilerStore; readonly clock: ManualClock; sql(text: string): void }
> {
  const database = openDatabase(":memory:");
  const clock = new ManualClock();
  const store = openSqliteStore({ database, clock, random: systemRandom, hashes: systemHashes });
  await store.createTree({ name: TREE, kind: "bucket", owner: "ada" });
  return {
    store,
    clock,
    sql: (text) => database.execute(text),
    [Symbol.dispose]() {
      store[Symbol.dispose]();
      database[Symbol.dispose]();
    },
  };
}

async function put(store: FilerStore, bytes: Uint8Array, expiresMs?: number): Promise<void> {
  await store.putEntry({
    tree: TREE,
    path: PATH,
    content: { kind: "inline", bytes },
    sizeBytes: bytes.length,
    etag: "e",
    attributes: { colour: "red" },
    modifiedMs: undefined,
    expiresMs,
    condition: undefined,
  });
}

async function get(store: FilerStore): Promise<Entry | undefined> {
  const found = await store.getEntry(TREE, PATH);
  return found.kind === "ok" ? found.value : undefined;
}

test("an entry that was read is read from memory, whole, and one that was written from its row", async () => {
  using world = await openStore();
  const { store } = world;
  await put(store, Uint8Array.of(1, 2, 3));
  world.sql("UPDATE contents SET bytes = x'00'");
  expect(await codeOf(get(store))).toBe("entry-corrupt");
  world.sql("UPDATE contents SET bytes = x'010203'");
  const first = await get(store);
  expect(first?.content).toEqual({ kind: "inline", bytes: Uint8Array.of(1, 2, 3) });
  world.sql("UPDATE contents SET bytes = x'00'");
  expect(await get(store)).toEqual(first as Entry);
});

test("an entry in memory is absent from its date on", async () => {
  using world = await openStore();
  const { store, clock } = world;
  await put(store, Uint8Array.of(1), clock.nowMs() + 10);
  for (let count = 0; count < 3; count++) expect(await get(store)).toBeDefined();
  clock.advance(10);
  expect(await get(store)).toBeUndefined();
  expect((await store.headEntry(TREE, PATH)).kind).toBe("refused");
});

test("a commit that fails leaves readers with what was there", async () => {
  using world = await openStore();
  const { store } = world;
  await put(store, Uint8Array.of(1));
  for (let count = 0; count < 3; count++) await get(store);
  world.sql("CREATE TRIGGER refuse BEFORE UPDATE ON trees BEGIN SELECT RAISE(ABORT, 'no'); END");
  expect(await codeOf(put(store, Uint8Array.of(2)))).toBe("store-failed");
  expect(await codeOf(store.deleteEntry({ tree: TREE, path: PATH }))).toBe("store-failed");
  for (let count = 0; count < 3; count++) {
    expect((await get(store))?.content).toEqual({ kind: "inline", bytes: Uint8Array.of(1) });
  }
});
