import { expect } from "bun:test";
import { must } from "@kelp/base";
import type { Chunk, Content, EntryPath } from "@kelp/wire";
import {
  type Claim,
  TREE,
  chunk,
  entry,
  expectCounted,
  extensionOf,
  garbage,
  list,
  listOf,
  put,
  settle,
  valueOf,
} from "./store-steps.ts";

/** What becomes of chunks when the content of an entry changes. */
export function contentClaims(claim: Claim): void {
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
}
