import { expect } from "bun:test";
import type { EntryPath } from "@kelp/wire";
import {
  type Claim,
  MANY,
  TREE,
  chunk,
  entry,
  garbage,
  inline,
  list,
  pad,
  put,
  settle,
} from "./store-steps.ts";

/** What happens to many entries at once: trees and prefixes that go or move. */
export function prefixClaims(claim: Claim): void {
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
}
