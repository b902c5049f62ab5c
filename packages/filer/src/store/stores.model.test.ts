import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  type Condition,
  type Content,
  type EntryPath,
  type ListQuery,
  formatFid,
} from "@kelp/wire";
import type { FilerStore } from "./filer-store.ts";
import { TwinStores, entryView, headView, treeName, viewOf } from "./testing/twin-stores.ts";

const TREES = ["one", "two", "three"].map(treeName);
const PATHS = ["a", "a/1", "a/2", "a/b/1", "b", "b/1", "é", "\uE000", "\u{1F600}/x", "z"];
/** Enough for a prefix job: more than one transaction may move. */
const MANY = 130;

const tree = fc.constantFrom(...TREES);
const path = fc.constantFrom(...PATHS).map((text) => text as EntryPath);
const prefix = fc.constantFrom("", "a", "a/", "b/", "m/", "n/", "q");
const snapshot = fc.constantFrom("s1", "s2");
const slot = fc.integer({ min: 0, max: 2 });

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("create-tree" as const), tree }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("delete-tree" as const),
      tree,
      contents: fc.constantFrom("refuse" as const, "discard" as const),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      tree,
      path,
      sizeBytes: fc.constantFrom(0, 3, 50),
      form: fc.constantFrom("inline" as const, "chunks" as const),
      condition: fc.constantFrom("none", "absent", "present", "etag", "position"),
      lifetimeMs: fc.constantFrom(0, 0, 0, 10),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("put-many" as const), tree }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("get" as const), tree, path }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), tree, path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("attributes" as const), tree, path }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("rename" as const), tree, path, target: path }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("rename-prefix" as const),
      tree,
      prefix,
      target: prefix,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("delete-prefix" as const), tree, prefix }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("snapshot" as const), tree, snapshot }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("delete-snapshot" as const), tree, snapshot }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("clone" as const),
      tree,
      target: tree,
      snapshot: fc.option(snapshot, { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("create-upload" as const), tree, path }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("part" as const),
      tree,
      slot,
      number: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("complete" as const),
      tree,
      slot,
      numbers: fc.constantFrom([1], [1, 2], [1, 2, 3], [2]),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort" as const), tree, slot }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("list" as const),
      tree,
      prefix,
      delimiter: fc.constantFrom("", "/", "1"),
      after: fc.option(fc.constantFrom(...PATHS, "m/05", "m/"), { nil: undefined }),
      limit: fc.constantFrom(1, 3, 7, 1000),
      snapshot: fc.option(snapshot, { nil: undefined }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("reclaim" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("settle" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function run(twins: TwinStores, one: Step): Promise<void> {
  const same = async <Value>(
    ask: (store: FilerStore, which: "real" | "plain") => Promise<Value>,
    view?: (value: Value) => unknown,
  ): Promise<void> => {
    const { real, plain } = await twins.both(ask, view);
    expect(real).toEqual(plain);
  };
  switch (one.kind) {
    case "create-tree":
      return same((store) => store.createTree({ name: one.tree, kind: "bucket", owner: "ada" }));
    case "delete-tree":
      return same((store) => store.deleteTree(one.tree, { contents: one.contents }));
    case "put":
      return put(twins, one);
    case "get":
      await same((store) => store.getEntry(one.tree, one.path), entryView);
      return same((store) => store.headEntry(one.tree, one.path), headView);
    case "put-many":
      return putMany(twins, one.tree);
    case "delete":
      return same((store) => store.deleteEntry(one));
    case "attributes":
      return same(
        (store) => store.setEntryAttributes(one.tree, one.path, { attributes: { a: "b" } }),
        entryView,
      );
    case "rename":
      return same((store) => store.renameEntry(one.tree, one.path, one.target), entryView);
    case "rename-prefix":
      return same(async (store) => {
        try {
          return await store.renamePrefix(one.tree, one.prefix, one.target);
        } catch {
          return "invalid-path";
        }
      });
    case "delete-prefix":
      return same((store) => store.deletePrefix(one.tree, one.prefix));
    case "snapshot":
      return same(
        (store) => store.createSnapshot(one.tree, one.snapshot),
        (result) => result.kind,
      );
    case "delete-snapshot":
      return same((store) => store.deleteSnapshot(one.tree, one.snapshot));
    case "clone":
      return same(
        (store) =>
          store.cloneTree({
            source: one.tree,
            target: one.target,
            owner: "ada",
            ...(one.snapshot !== undefined && { snapshot: one.snapshot }),
          }),
        (result) => (result.kind === "refused" ? result : result.value.name),
      );
    case "create-upload": {
      const request = { ...one, owner: "ada", attributes: {} };
      const real = await twins.real.createUpload(request);
      const plain = await twins.plain.createUpload(request);
      expect(real.kind).toBe(plain.kind);
      if (real.kind === "ok" && plain.kind === "ok") {
        twins.uploads.push({ real: real.value.id, plain: plain.value.id });
      }
      return;
    }
    case "part": {
      const ids = twins.uploads[one.slot];
      if (ids === undefined) return;
      const chunks = [twins.chunk(20), twins.chunk(1)];
      const part = { sizeBytes: 21, etag: `e${one.number}`, attributes: {}, modifiedMs: undefined };
      return same((store, which) =>
        store.putPart({ tree: one.tree, id: ids[which], number: one.number, chunks, ...part }),
      );
    }
    case "complete": {
      const ids = twins.uploads[one.slot];
      if (ids === undefined) return;
      const parts = one.numbers.map((number) => ({ number, etag: `e${number}` }));
      return same(
        (store, which) =>
          store.completeUpload({
            tree: one.tree,
            id: ids[which],
            parts,
            partBytesMin: 1,
            describe: () => ({ etag: "whole", attributes: { done: "yes" } }),
          }),
        entryView,
      );
    }
    case "abort": {
      const ids = twins.uploads[one.slot];
      if (ids === undefined) return;
      return same((store, which) => store.abortUpload(one.tree, ids[which]));
    }
    case "list": {
      const { tree: name, snapshot: taken, after, prefix: below, delimiter, limit } = one;
      const query: ListQuery = {
        prefix: below,
        delimiter,
        limit,
        ...(after !== undefined && { after }),
      };
      return taken === undefined
        ? same((store) => store.listEntries(name, query))
        : same((store) => store.listSnapshotEntries(name, taken, query));
    }
    case "reclaim":
      await twins.real.reclaim();
      return;
    case "settle":
      return twins.settle();
    case "wait":
      twins.clock.advance(11);
      return;
    case "restart":
      twins.restart();
      return;
  }
}

async function put(twins: TwinStores, one: Extract<Step, { kind: "put" }>): Promise<void> {
  const { tree: name, sizeBytes, form } = one;
  const content: Content =
    form === "inline" || sizeBytes === 0
      ? { kind: "inline", bytes: new Uint8Array(sizeBytes) }
      : { kind: "chunks", chunks: [twins.chunk(sizeBytes)] };
  const { real, plain } = await twins.both(async (store) => {
    const current = await store.getEntry(name, one.path);
    const entry = current.kind === "ok" ? current.value : undefined;
    return store.putEntry({
      tree: name,
      path: one.path,
      content,
      sizeBytes,
      etag: `etag-${sizeBytes}`,
      attributes: {},
      modifiedMs: undefined,
      expiresMs: one.lifetimeMs === 0 ? undefined : twins.clock.nowMs() + one.lifetimeMs,
      condition: conditionOf(one.condition, entry?.position ?? 1),
    });
  }, entryView);
  expect(real).toEqual(plain);
}

function conditionOf(kind: string, position: number): Condition | undefined {
  if (kind === "absent" || kind === "present") return { kind };
  if (kind === "etag") return { kind, etags: ["etag-3"] };
  return kind === "position" ? { kind, position } : undefined;
}

async function putMany(twins: TwinStores, name: (typeof TREES)[number]): Promise<void> {
  await twins.both((store) =>
    Promise.all(
      Array.from({ length: MANY }, (_, index) =>
        store.putEntry({
          tree: name,
          path: `m/${String(index).padStart(3, "0")}` as EntryPath,
          content: { kind: "inline", bytes: new Uint8Array(2) },
          sizeBytes: 2,
          etag: "many",
          attributes: {},
          modifiedMs: undefined,
          expiresMs: undefined,
          condition: undefined,
        }),
      ),
    ),
  );
}

/** The chunks that rows name, each once. */
function namedBy(store: FilerStore): string[] {
  const named = new Set<string>();
  for (const { chunks } of store.scanContents()) {
    for (const { fid } of chunks) named.add(formatFid(fid));
  }
  return [...named].sort();
}

test("any order of operations, restarts and rounds of background work shows callers what the plain store shows", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 80, size: "max" }),
      fc.boolean(),
      // None, a few, all: entries in memory are to make no difference.
      fc.constantFrom(0, 4000, 1_000_000),
      async (all, hasLifetimes, hotBytesMax) => {
        const steps = all.map((one) =>
          one.kind === "put" && !hasLifetimes ? { ...one, lifetimeMs: 0 as const } : one,
        );
        using twins = new TwinStores(hotBytesMax);
        const first = TREES[0] as (typeof TREES)[number];
        await run(twins, { kind: "create-tree", tree: first });
        for (const one of steps) await run(twins, one);
        for (const name of TREES)
          for (const each of PATHS)
            await run(twins, { kind: "get", tree: name, path: each as EntryPath });
        await twins.settle();
        expect(twins.real.countHolders()).toEqual([]);
        for (const { counter, counted } of twins.real.countUsage())
          expect(counter).toEqual(counted);
        const [real, plain] = [await viewOf(twins.real), await viewOf(twins.plain)];
        expect(real.trees).toEqual(plain.trees);
        expect(real.references).toEqual(namedBy(twins.real));
        // A snapshot keeps an entry whose time was over exactly when no round had removed it yet.
        if (!steps.some((one) => one.kind === "put" && one.lifetimeMs > 0))
          expect(real).toEqual(plain);
      },
    ),
    { numRuns: Number(process.env["KELP_TEST_RUNS"] ?? 100) },
  );
}, 120_000);
