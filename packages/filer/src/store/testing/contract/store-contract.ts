import { expect, test } from "bun:test";
import type { EntryPath } from "@kelp/wire";
import { contentClaims } from "./content-claims.ts";
import { prefixClaims } from "./prefix-claims.ts";
import { quotaClaims } from "./quota-claims.ts";
import { snapshotClaims } from "./snapshot-claims.ts";
import { uploadClaims } from "./upload-claims.ts";
import {
  COPY,
  type Claim,
  type StoreWorld,
  TREE,
  entry,
  list,
  outcome,
  put,
  settle,
  valueOf,
} from "./store-steps.ts";

/** What every `FilerStore` owes the filer. Call it at the top of a test file. */
export function filerStoreContract(name: string, open: () => StoreWorld): void {
  const claim: Claim = (text, run) => {
    test(`${name}: ${text}`, async () => {
      using world = open();
      await world.store.createTree({ name: TREE, kind: "bucket", owner: "ada" });
      await run(world);
    });
  };

  quotaClaims(claim);
  contentClaims(claim);
  prefixClaims(claim);
  snapshotClaims(claim);
  uploadClaims(claim);

  claim("paths are in the order of their UTF-8 bytes", async ({ store }) => {
    const paths = ["\u{1F600}", "\uE000", "b", "a/b", "a", "é", "A"];
    for (const one of paths) await put(store, one);
    expect(await list(store)).toEqual(["A", "a", "a/b", "b", "é", "\uE000", "\u{1F600}"]);
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
