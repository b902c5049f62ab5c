import { expect, test } from "bun:test";
import { must, refused } from "@kelp/base";
import {
  type Chunk,
  type Content,
  type Entry,
  type EntryPath,
  type ListItem,
  type TreeName,
  type TreeQuota,
  OBJECT_BYTES_MAX,
  needleId,
  volumeId,
} from "@kelp/wire";
import type { ManualClock } from "../../testing/manual-clock.ts";
import type { ExtendEntry, FilerStore, PutEntry } from "../filer-store.ts";

/** A world with an empty store, for one test. */
export interface StoreWorld extends Disposable {
  readonly store: FilerStore;
  readonly clock: ManualClock;
}

const TREE = "tree" as TreeName;
const COPY = "copy" as TreeName;
/** More than one transaction may touch. */
const MANY = 250;

/** What every `FilerStore` owes the filer. Call it at the top of a test file. */
export function filerStoreContract(name: string, open: () => StoreWorld): void {
  const claim = (text: string, run: (world: StoreWorld) => Promise<void>): void => {
    test(`${name}: ${text}`, async () => {
      using world = open();
      await world.store.createTree({ name: TREE, kind: "bucket", owner: "ada" });
      await run(world);
    });
  };

  claim("paths are in the order of their UTF-8 bytes", async ({ store }) => {
    const paths = ["\u{1F600}", "\uE000", "b", "a/b", "a", "é", "A"];
    for (const one of paths) await put(store, one);
    expect(await list(store)).toEqual(["A", "a", "a/b", "b", "é", "\uE000", "\u{1F600}"]);
  });

  claim("a quota of bytes and one of entries hold to the last of them", async ({ store }) => {
    await store.setQuota(TREE, { bytes: 10, entries: 2 });
    expect(await outcome(store, { path: "a", content: inline(10) })).toBe("ok");
    expect(await outcome(store, { path: "b", content: inline(1) })).toBe("quota-exceeded");
    expect(await outcome(store, { path: "a", content: inline(4) })).toBe("ok");
    expect(await outcome(store, { path: "b", content: inline(6) })).toBe("ok");
    expect(await outcome(store, { path: "c", content: inline(0) })).toBe("quota-exceeded");
    expect(await outcome(store, { path: "b", content: inline(5) })).toBe("ok");
    expect((await store.getTree(TREE))?.quota).toEqual({ bytes: 10, entries: 2 });
    expect((await store.getTree(TREE))?.usage).toEqual({ bytes: 9, entries: 2, chunks: 0 });
  });

  claim("an entry goes on with chunks of its former content", async ({ store }) => {
    const first = await put(store, "a", listOf(chunk(1n, 10), chunk(2n, 10)));
    const extension = extensionOf(first, {
      chunks: [chunk(1n, 10), chunk(3n, 20)],
      kept: [chunk(1n, 10)],
    });
    const extended = must(valueOf(await store.extendEntry(extension)));
    expect(extended.content).toEqual(extension.content);
    expect(await entry(store, "a")).toEqual(extended);
    expect(garbage(store)).toEqual([2n]);
    expect(store.referenceCount()).toBe(2);
    expect((await store.getTree(TREE))?.usage).toEqual({ bytes: 30, entries: 1, chunks: 2 });
    // Of another position nobody knows what it lists.
    expect(await store.extendEntry(extension)).toEqual({
      kind: "refused",
      refusal: { kind: "condition-failed", exists: true },
    });
    await store.deleteEntry({ tree: TREE, path: "a" as EntryPath });
    expect(new Set(garbage(store))).toEqual(new Set([1n, 2n, 3n]));
    expect(store.referenceCount()).toBe(0);
    expectCounted(store);
  });

  claim("chunks that manifests come to list stay named", async ({ store }) => {
    const first = await put(store, "a", listOf(chunk(1n, 10), chunk(2n, 10)));
    const manifest: Chunk = { ...chunk(9n, 30), isManifest: true };
    const kept = [chunk(1n, 10), chunk(2n, 10)];
    const listed = [...kept, chunk(3n, 10)];
    const extension = extensionOf(first, { chunks: [manifest], kept, listed });
    expect((await store.extendEntry(extension)).kind).toBe("ok");
    expect(store.referenceCount()).toBe(4);
    expect(garbage(store)).toEqual([]);
    expectCounted(store);
  });

  claim("content that a snapshot goes on with is not taken from it", async ({ store }) => {
    const first = await put(store, "a", listOf(chunk(1n, 10)));
    await store.createSnapshot(TREE, "then");
    const chunks = [chunk(1n, 10), chunk(2n, 10)];
    const extension = extensionOf(first, { chunks, kept: [chunk(1n, 10)] });
    const shared = { kind: "refused", refusal: "content-shared" } as const;
    expect(await store.extendEntry(extension)).toEqual(shared);
    const path = "a" as EntryPath;
    const changed = must(valueOf(await store.setEntryAttributes(TREE, path, { attributes: {} })));
    const { position } = changed;
    expect(await store.extendEntry({ ...extension, position })).toEqual(shared);
    await store.deleteSnapshot(TREE, "then");
    await settle(store);
    expect((await store.extendEntry({ ...extension, position })).kind).toBe("ok");
    expectCounted(store);
  });

  claim("an entry does not grow over a quota", async ({ store }) => {
    const first = await put(store, "a", listOf(chunk(1n, 10)));
    await store.setQuota(TREE, { bytes: 15 });
    const chunks = [chunk(1n, 10), chunk(2n, 10)];
    const extension = extensionOf(first, { chunks, kept: [chunk(1n, 10)] });
    expect(await store.extendEntry(extension)).toEqual({
      kind: "refused",
      refusal: "quota-exceeded",
    });
    expect(await entry(store, "a")).toEqual(first);
  });

  claim("a bound that is not named stays, and null lifts one", async ({ store }) => {
    const quota = async (): Promise<TreeQuota | undefined> => (await store.getTree(TREE))?.quota;
    await store.setQuota(TREE, { bytes: 10 });
    expect(await quota()).toEqual({ bytes: 10 });
    await store.setQuota(TREE, { entries: 2 });
    expect(await quota()).toEqual({ bytes: 10, entries: 2 });
    await store.setQuota(TREE, { bytes: null });
    expect(await quota()).toEqual({ entries: 2 });
    await store.setQuota(TREE, {});
    expect(await quota()).toEqual({ entries: 2 });
    await store.setQuota(TREE, { bytes: null, entries: null });
    expect(await quota()).toBeUndefined();
    expect(await store.setQuota("none" as TreeName, {})).toEqual({
      kind: "refused",
      refusal: "no-such-tree",
    });
  });

  claim(
    "parts count against a quota of bytes, and a completion against one of entries",
    async ({ store }) => {
      await store.setQuota(TREE, { bytes: 100, entries: 1 });
      const id = await upload(store, "joined");
      const part = { sizeBytes: 60, etag: "e", attributes: {}, modifiedMs: undefined };
      const write = (number: number, chunks: readonly Chunk[]) =>
        store.putPart({ tree: TREE, id, number, chunks, ...part });
      expect((await write(1, [chunk(1n, 60)])).kind).toBe("ok");
      expect(await write(2, [chunk(2n, 60)])).toEqual({
        kind: "refused",
        refusal: "quota-exceeded",
      });
      await put(store, "other");
      const complete = () =>
        store.completeUpload({
          tree: TREE,
          id,
          parts: [{ number: 1, etag: "e" }],
          partBytesMin: 1,
          describe: () => ({ etag: "whole", attributes: {} }),
        });
      expect(await complete()).toEqual({ kind: "refused", refusal: "quota-exceeded" });
      await store.deleteEntry({ tree: TREE, path: "other" as EntryPath });
      expect((await complete()).kind).toBe("ok");
      expect((await store.getTree(TREE))?.usage).toEqual({ bytes: 60, entries: 1, chunks: 1 });
    },
  );

  claim(
    "a tree with entries goes only when told, and its name is free at once",
    async ({ store }) => {
      for (let index = 0; index < MANY; index += 1) await put(store, `a${index}`);
      await put(store, "chunks", { content: { kind: "chunks", chunks: [chunk(1n, 9)] } });
      expect(await store.deleteTree(TREE)).toEqual({ kind: "refused", refusal: "not-empty" });
      expect((await store.deleteTree(TREE, { contents: "discard" })).kind).toBe("ok");
      expect(await store.getTree(TREE)).toBeUndefined();
      await store.createTree({ name: TREE, kind: "bucket", owner: "bob" });
      await put(store, "new");
      expect(await list(store)).toEqual(["new"]);
      await settle(store);
      expect(store.referenceCount()).toBe(0);
      expect(garbage(store)).toEqual([1n]);
      expect(await list(store)).toEqual(["new"]);
      expect((await store.getTree(TREE))?.usage.entries).toBe(1);
    },
  );

  claim(
    "a deleted prefix is gone at once, what is written below it later stays",
    async ({ store }) => {
      for (let index = 0; index < MANY; index += 1) await put(store, `a/${index}`);
      await put(store, "b");
      await store.deletePrefix(TREE, "a/");
      expect(await list(store)).toEqual(["b"]);
      await put(store, "a/7");
      expect(await list(store)).toEqual(["a/7", "b"]);
      await store.reclaim();
      expect(await list(store)).toEqual(["a/7", "b"]);
      await settle(store);
      expect(await list(store)).toEqual(["a/7", "b"]);
      expect((await store.getTree(TREE))?.usage).toEqual({ bytes: 2, entries: 2, chunks: 0 });
    },
  );

  claim(
    "a large prefix moves at once, and is one thing to readers and writers while its rows follow",
    async ({ store }) => {
      for (let index = 0; index < MANY; index += 1) await put(store, `a/${pad(index)}`);
      expect(await store.renamePrefix(TREE, "a/", "b/")).toEqual({
        kind: "ok",
        value: { moved: undefined },
      });
      const moved = Array.from({ length: MANY }, (_, index) => `b/${pad(index)}`);
      expect(await list(store)).toEqual(moved);
      await put(store, "a/new");
      await put(store, "b/001", { content: inline(7) });
      await store.deleteEntry({ tree: TREE, path: "b/002" as EntryPath });
      await store.renameEntry(TREE, "b/003" as EntryPath, "a/003" as EntryPath);
      const left = moved.filter((path) => path !== "b/002" && path !== "b/003");
      for (let round = 0; round < 5; round += 1) {
        expect(await list(store)).toEqual(["a/003", "a/new", ...left]);
        expect((await entry(store, "b/001")).sizeBytes).toBe(7);
        await store.reclaim();
      }
      await settle(store);
      expect(await list(store)).toEqual(["a/003", "a/new", ...left]);
      expect((await store.getTree(TREE))?.usage).toEqual({ bytes: 256, entries: 250, chunks: 0 });
    },
  );

  claim("a snapshot shows its moment, whatever is done to the tree", async ({ store }) => {
    for (let index = 0; index < MANY; index += 1) await put(store, `a/${pad(index)}`);
    const before = await list(store);
    const taken = must(valueOf(await store.createSnapshot(TREE, "s")));
    expect(taken.usage).toEqual({ bytes: MANY, entries: MANY, chunks: 0 });
    expect(await store.createSnapshot(TREE, "s")).toEqual({ kind: "refused", refusal: "exists" });
    await put(store, "a/000", { content: inline(9), etag: "new" });
    await store.setEntryAttributes(TREE, "a/001" as EntryPath, { attributes: { colour: "red" } });
    await store.deleteEntry({ tree: TREE, path: "a/002" as EntryPath });
    await put(store, "a/new");
    await store.renamePrefix(TREE, "a/", "b/");
    await settle(store);
    const seen = await items((query) => store.listSnapshotEntries(TREE, "s", query));
    expect(seen.map(textOf)).toEqual(before);
    const old = must(valueOf(await store.getSnapshotEntry(TREE, "s", "a/000" as EntryPath)));
    expect(old).toMatchObject({ etag: "e", sizeBytes: 1 });
    const attributes = await store.getSnapshotEntry(TREE, "s", "a/001" as EntryPath);
    expect(valueOf(attributes)?.attributes).toEqual({});
    expect(await store.deleteTree(TREE)).toEqual({ kind: "refused", refusal: "not-empty" });
  });

  claim(
    "content is kept while a snapshot names it, and freed with the last one",
    async ({ store }) => {
      await put(store, "a", { content: { kind: "chunks", chunks: [chunk(1n, 9)] } });
      await store.createSnapshot(TREE, "one");
      await store.createSnapshot(TREE, "two");
      await store.deleteEntry({ tree: TREE, path: "a" as EntryPath });
      await settle(store);
      expect(garbage(store)).toEqual([]);
      await store.deleteSnapshot(TREE, "one");
      await settle(store);
      expect(garbage(store)).toEqual([]);
      expect(store.isReferenced(chunk(1n, 9).fid)).toBe(true);
      await store.deleteSnapshot(TREE, "two");
      await settle(store);
      expect(garbage(store)).toEqual([1n]);
      expect(store.isReferenced(chunk(1n, 9).fid)).toBe(false);
      expect(await store.deleteSnapshot(TREE, "two")).toEqual({
        kind: "refused",
        refusal: "no-such-snapshot",
      });
    },
  );

  claim("rows replaced after the last snapshot went are freed at once", async ({ store }) => {
    await put(store, "a", { content: { kind: "chunks", chunks: [chunk(1n, 9)] } });
    await store.createSnapshot(TREE, "s");
    await store.deleteSnapshot(TREE, "s");
    await settle(store);
    await put(store, "a");
    expect(garbage(store)).toEqual([1n]);
  });

  claim("a copy is whole at once, and the two go their own ways", async ({ store }) => {
    for (let index = 0; index < MANY; index += 1) await put(store, `a/${pad(index)}`);
    await put(store, "b", { content: { kind: "chunks", chunks: [chunk(1n, 9)] } });
    await store.setQuota(TREE, { entries: 252 });
    const made = await store.cloneTree({ source: TREE, target: COPY, owner: "bob" });
    expect(valueOf(made)).toMatchObject({ usage: { bytes: 259, entries: 251, chunks: 1 } });
    expect(await list(store, COPY)).toEqual(await list(store));
    await put(store, "a/000", { tree: COPY, content: inline(5) });
    await store.deleteEntry({ tree: COPY, path: "a/001" as EntryPath });
    await store.renameEntry(COPY, "a/002" as EntryPath, "a/900" as EntryPath);
    await store.deleteEntry({ tree: TREE, path: "b" as EntryPath });
    const expected = (await list(store)).filter((path) => path !== "a/001" && path !== "a/002");
    for (let round = 0; round < 5; round += 1) {
      expect(await list(store, COPY)).toEqual([...expected, "a/900", "b"]);
      expect((await entry(store, "a/000")).sizeBytes).toBe(1);
      expect((await entry(store, "a/000", COPY)).sizeBytes).toBe(5);
      expectCounted(store);
      await store.reclaim();
    }
    await settle(store);
    expect(await list(store, COPY)).toEqual([...expected, "a/900", "b"]);
    expect(garbage(store)).toEqual([]);
    expect((await store.getTree(COPY))?.usage).toEqual({ bytes: 262, entries: 250, chunks: 1 });
    expect(await outcome(store, { tree: COPY, path: "c" })).toBe("ok");
    expect(await outcome(store, { tree: COPY, path: "d" })).toBe("ok");
    expect(await outcome(store, { tree: COPY, path: "e" })).toBe("quota-exceeded");
    await store.deleteTree(COPY, { contents: "discard" });
    await settle(store);
    expect(garbage(store)).toEqual([1n]);
  });

  claim("a copy survives the tree and the snapshot that it was made of", async ({ store }) => {
    for (let index = 0; index < MANY; index += 1) await put(store, `a/${pad(index)}`);
    await store.createSnapshot(TREE, "s");
    await store.deletePrefix(TREE, "");
    await store.cloneTree({ source: TREE, snapshot: "s", target: COPY, owner: "bob" });
    await store.deleteSnapshot(TREE, "s");
    expect(valueOf(await store.listSnapshots(TREE))).toEqual([]);
    await store.deleteTree(TREE);
    expect((await list(store, COPY)).length).toBe(MANY);
    expectCounted(store);
    await settle(store);
    expectCounted(store);
    expect((await list(store, COPY)).length).toBe(MANY);
    expect((await store.getTree(COPY))?.usage.entries).toBe(MANY);
    expect(store.countHolders()).toEqual([]);
  });

  claim(
    "an entry is absent from its date on: to readers, lists and conditions",
    async ({ store, clock }) => {
      const expiresMs = clock.nowMs() + 10;
      await put(store, "a", { expiresMs });
      await put(store, "b");
      expect((await entry(store, "a")).expiresMs).toBe(expiresMs);
      expect(await outcome(store, { path: "a", condition: { kind: "absent" } })).toBe(
        "condition-failed",
      );
      clock.advance(10);
      const absent = { kind: "refused", refusal: "no-such-entry" } as const;
      expect(await store.getEntry(TREE, "a" as EntryPath)).toEqual(absent);
      expect(await store.headEntry(TREE, "a" as EntryPath)).toEqual(absent);
      expect(await list(store)).toEqual(["b"]);
      const deleted = await store.deleteEntry({ tree: TREE, path: "a" as EntryPath });
      expect(valueOf(deleted)).toEqual({ existed: false });
      await put(store, "c", { expiresMs: clock.nowMs() + 1 });
      clock.advance(1);
      expect(await outcome(store, { path: "c", condition: { kind: "present" } })).toBe(
        "condition-failed",
      );
      const { newest } = store.changeBounds();
      await settle(store);
      const changes = await store.readChanges({ after: newest, limit: 10 });
      expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(["delete c"]);
      expect((await store.getTree(TREE))?.usage.entries).toBe(1);
    },
  );

  claim("an aborted upload frees its parts", async ({ store }) => {
    const id = await upload(store, "a");
    for (let number = 1; number <= 120; number += 1) {
      const chunks = [chunk(BigInt(number), 5)];
      const part = { sizeBytes: 5, etag: "e", attributes: {}, modifiedMs: undefined };
      await store.putPart({ tree: TREE, id, number, chunks, ...part });
    }
    await store.abortUpload(TREE, id);
    expect((await store.getTree(TREE))?.usage).toEqual({ bytes: 0, entries: 0, chunks: 0 });
    await settle(store);
    expect(garbage(store).length).toBe(120);
    expect(store.referenceCount()).toBe(0);
  });

  claim("parts that are too much together stay parts", async ({ store }) => {
    const id = await upload(store, "a");
    for (const number of [1, 2]) {
      const sizeBytes = OBJECT_BYTES_MAX / 2 + number - 1;
      const chunks = [{ ...chunk(BigInt(number), sizeBytes), isManifest: true } as const];
      const part = { sizeBytes, etag: "e", attributes: {}, modifiedMs: undefined };
      await store.putPart({ tree: TREE, id, number, chunks, ...part });
    }
    const describe = () => ({ etag: "whole", attributes: {} });
    const request = { tree: TREE, id, partBytesMin: 1, describe };
    const both = [1, 2].map((number) => ({ number, etag: "e" }));
    const refusal = { kind: "too-large", sizeBytes: OBJECT_BYTES_MAX + 1 };
    expect(await store.completeUpload({ ...request, parts: both })).toEqual(
      refused(refusal) as never,
    );
    expect((await store.completeUpload({ ...request, parts: both.slice(0, 1) })).kind).toBe("ok");
    await settle(store);
    expect(garbage(store)).toEqual([2n]);
  });

  claim("a chunk cannot be named twice", async ({ store }) => {
    const content: Content = { kind: "chunks", chunks: [chunk(1n, 9)] };
    await put(store, "a", { content });
    let refusedTwice = false;
    try {
      await put(store, "b", { content });
    } catch {
      refusedTwice = true;
    }
    expect(refusedTwice).toBe(true);
    expect(await list(store)).toEqual(["a"]);
  });

  claim("changes tell what a follower needs, in order", async ({ store }) => {
    await put(store, "a");
    await store.renameEntry(TREE, "a" as EntryPath, "b" as EntryPath);
    await store.createSnapshot(TREE, "s");
    await store.cloneTree({ source: TREE, snapshot: "s", target: COPY, owner: "bob" });
    await store.deletePrefix(TREE, "x/");
    await store.deleteSnapshot(TREE, "s");
    await store.deleteTree(COPY, { contents: "discard" });
    const changes = await store.readChanges({ after: 0, limit: 100 });
    expect(changes.map(({ kind, tree, path, target }) => [kind, tree, path, target])).toEqual([
      ["create-tree", TREE, "", ""],
      ["put", TREE, "a", ""],
      ["rename", TREE, "a", "b"],
      ["create-snapshot", TREE, "s", ""],
      ["clone-tree", COPY, "s", TREE],
      ["delete-prefix", TREE, "x/", ""],
      ["delete-snapshot", TREE, "s", ""],
      ["delete-tree", COPY, "", ""],
    ]);
    const positions = changes.map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].sort((left, right) => left - right));
  });
}

function pad(index: number): string {
  return String(index).padStart(3, "0");
}

function inline(sizeBytes: number): Content {
  return { kind: "inline", bytes: new Uint8Array(sizeBytes) };
}

function chunk(needle: bigint, sizeBytes: number): Chunk {
  return { fid: { volumeId: volumeId(1), needleId: needleId(needle), cookie: 7 }, sizeBytes };
}

function requestOf(path: string, some: Partial<PutEntry> = {}): PutEntry {
  const { content = inline(1) } = some;
  const sizeBytes =
    content.kind === "inline"
      ? content.bytes.length
      : content.chunks.reduce((sum, one) => sum + one.sizeBytes, 0);
  return {
    tree: TREE,
    path: path as EntryPath,
    sizeBytes,
    etag: "e",
    attributes: {},
    modifiedMs: undefined,
    expiresMs: undefined,
    condition: undefined,
    ...some,
    content,
  };
}

/** A put of chunks. */
function listOf(...chunks: readonly Chunk[]): Partial<PutEntry> {
  const sizeBytes = chunks.reduce((sum, each) => sum + each.sizeBytes, 0);
  return { content: { kind: "chunks", chunks }, sizeBytes };
}

function extensionOf(
  { path, position }: Entry,
  next: {
    readonly chunks: readonly Chunk[];
    readonly kept: readonly Chunk[];
    readonly listed?: readonly Chunk[];
  },
): ExtendEntry {
  const { chunks, kept, listed = [] } = next;
  const { content: _none, condition: _any, ...request } = requestOf(path, listOf(...chunks));
  return { ...request, content: { kind: "chunks", chunks }, kept, listed, position };
}

async function put(store: FilerStore, path: string, some?: Partial<PutEntry>): Promise<Entry> {
  return must(valueOf(await store.putEntry(requestOf(path, some))));
}

async function outcome(
  store: FilerStore,
  { path, ...some }: { readonly path: string } & Partial<Omit<PutEntry, "path">>,
): Promise<string> {
  const result = await store.putEntry(requestOf(path, some));
  if (result.kind === "ok") return "ok";
  return typeof result.refusal === "string" ? result.refusal : result.refusal.kind;
}

async function entry(store: FilerStore, path: string, tree = TREE): Promise<Entry> {
  return must(valueOf(await store.getEntry(tree, path as EntryPath)));
}

async function upload(store: FilerStore, path: string) {
  const request = { tree: TREE, path: path as EntryPath, owner: "ada", attributes: {} };
  return must(valueOf(await store.createUpload(request))).id;
}

async function list(store: FilerStore, tree = TREE): Promise<string[]> {
  return (await items((query) => store.listEntries(tree, query))).map(textOf);
}

/** Page by page. */
async function items(
  page: (query: {
    readonly limit: number;
    readonly after?: string;
  }) => ReturnType<FilerStore["listSnapshotEntries"]>,
): Promise<ListItem[]> {
  const found: ListItem[] = [];
  let after: string | undefined;
  do {
    const next = must(valueOf(await page({ limit: 90, ...(after !== undefined && { after }) })));
    found.push(...next.items);
    after = next.next;
  } while (after !== undefined);
  return found;
}

function textOf(item: ListItem): string {
  return item.kind === "entry" ? item.path : item.prefix;
}

async function settle(store: FilerStore): Promise<void> {
  while (await store.reclaim()) continue;
}

/** Counters say what counting gives, also while rows are still to come. */
function expectCounted(store: FilerStore): void {
  for (const { counter, counted } of store.countUsage()) expect(counter).toEqual(counted);
}

function garbage(store: FilerStore): bigint[] {
  return store
    .listGarbage({ freedMsMax: Number.MAX_SAFE_INTEGER, afterId: 0, limit: 10_000 })
    .flatMap(({ chunks }) => chunks.map(({ fid }) => fid.needleId));
}

function valueOf<Value>(
  result: { readonly kind: "ok"; readonly value: Value } | { readonly kind: "refused" },
): Value | undefined {
  return result.kind === "ok" ? result.value : undefined;
}
