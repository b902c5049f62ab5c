import { expect } from "bun:test";
import { must } from "@kelp/base";
import type { EntryPath } from "@kelp/wire";
import {
  COPY,
  type Claim,
  MANY,
  TREE,
  chunk,
  entry,
  expectCounted,
  garbage,
  inline,
  items,
  list,
  outcome,
  pad,
  put,
  settle,
  textOf,
  valueOf,
} from "./store-steps.ts";

/** What snapshots and copies keep. */
export function snapshotClaims(claim: Claim): void {
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
}
