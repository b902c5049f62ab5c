import { expect } from "bun:test";
import type { Chunk, EntryPath, TreeName, TreeQuota } from "@kelp/wire";
import {
  type Claim,
  TREE,
  chunk,
  entry,
  extensionOf,
  inline,
  listOf,
  outcome,
  put,
  upload,
} from "./store-steps.ts";

/** What a quota bounds, and how it is set. */
export function quotaClaims(claim: Claim): void {
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
}
