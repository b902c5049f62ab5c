import { expect, test } from "bun:test";
import * as fc from "fast-check";
import type { ListItem, ListQuery } from "@kelp/wire";
import { TreeModel } from "./testing/tree-model.ts";
import { type FilerWorld, TREE, openFilerWorld, pathOf } from "./testing/index.ts";

/** Names that hurt: shared beginnings, empty segments, both sides of the surrogates, the longest. */
const PIECES = [
  "a",
  "b",
  "/",
  "//",
  "a/b",
  "é",
  "\uD7FF",
  "\uE000",
  "\uFFFD",
  "\u{1F600}",
  "\u{10FFFF}",
  "z".repeat(200),
];
const piece = fc.constantFrom(...PIECES);
const path = fc
  .array(piece, { minLength: 1, maxLength: 5 })
  .map((pieces) => pieces.join(""))
  .filter((text) => Buffer.byteLength(text) <= 1024);
const bound = fc.oneof(fc.constant(""), path);
const delimiter = fc.constantFrom("", "/", "//", "a", "\u{1F600}");

type Command =
  | { readonly kind: "put"; readonly path: string; readonly sizeBytes: number }
  | { readonly kind: "delete"; readonly path: string }
  | { readonly kind: "rename"; readonly path: string; readonly target: string }
  | { readonly kind: "rename-prefix"; readonly prefix: string; readonly target: string }
  | { readonly kind: "list"; readonly query: ListQuery };

const query: fc.Arbitrary<ListQuery> = fc
  .record({
    prefix: bound,
    delimiter,
    after: fc.option(bound, { nil: undefined }),
    limit: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ after, ...rest }) => (after === undefined ? rest : { ...rest, after }));

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      path,
      sizeBytes: fc.constantFrom(0, 3, 17_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("rename" as const), path, target: path }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("rename-prefix" as const),
      prefix: bound,
      target: bound,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("list" as const), query }) },
);

function textOf(item: ListItem): string {
  return item.kind === "entry" ? `entry ${item.path}` : `prefix ${item.prefix}`;
}

async function run(world: FilerWorld, model: TreeModel, step: Command): Promise<void> {
  const { filer } = world;
  switch (step.kind) {
    case "put": {
      const body = new Uint8Array(step.sizeBytes);
      await filer.writeFile({
        tree: TREE,
        path: pathOf(step.path),
        body,
        describe: () => ({ attributes: {} }),
      });
      model.sizes.set(step.path, step.sizeBytes);
      return;
    }
    case "delete": {
      const result = await filer.deleteEntry({ tree: TREE, path: pathOf(step.path) });
      expect(result).toEqual({ kind: "ok", value: { existed: model.sizes.delete(step.path) } });
      return;
    }
    case "rename": {
      const result = await filer.renameEntry(TREE, pathOf(step.path), pathOf(step.target));
      const sizeBytes = model.sizes.get(step.path);
      expect(result.kind).toBe(sizeBytes === undefined ? "refused" : "ok");
      if (sizeBytes === undefined) return;
      model.sizes.delete(step.path);
      model.sizes.set(step.target, sizeBytes);
      return;
    }
    case "rename-prefix":
      return renamePrefix(world, model, step);
    case "list": {
      const result = await filer.listEntries(TREE, step.query);
      if (result.kind === "refused") throw new Error(result.refusal);
      const { items, next } = result.value;
      expect({ items: items.map(textOf), next }).toEqual(model.list(step.query));
      return;
    }
  }
}

async function renamePrefix(
  world: FilerWorld,
  model: TreeModel,
  step: Extract<Command, { kind: "rename-prefix" }>,
): Promise<void> {
  const targets = [...model.sizes.keys()]
    .filter((text) => text.startsWith(step.prefix))
    .map((text) => step.target + text.slice(step.prefix.length));
  // A move to nowhere, or beyond the longest path, is an error and has tests of its own.
  if (targets.some((text) => text === "" || Buffer.byteLength(text) > 1024)) return;
  const result = await world.filer.renamePrefix(TREE, step.prefix, step.target);
  const expected = model.renamePrefix(step.prefix, step.target);
  expect(result.kind === "ok" ? "ok" : result.refusal).toEqual(expected);
}

test("any order of puts, deletes, renames and listings agrees with a plain map, and all adds up", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 60 }), async (steps) => {
      using world = openFilerWorld();
      await world.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
      const model = new TreeModel();
      for (const step of steps) await run(world, model, step);
      const sizes = [...model.sizes.values()];
      expect((await world.filer.getTree(TREE))?.usage).toEqual({
        bytes: sizes.reduce((sum, size) => sum + size, 0),
        entries: sizes.length,
        chunks: sizes.filter((size) => size > 16_384).length,
      });
      expect(await Array.fromAsync(world.filer.check())).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test("pages laid one after another are the whole listing, for every prefix and delimiter", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(path, { maxLength: 60 }), query, async (paths, base) => {
      using world = openFilerWorld();
      await world.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
      const model = new TreeModel();
      const steps = paths.map((text) =>
        run(world, model, { kind: "put", path: text, sizeBytes: 0 }),
      );
      await Promise.all(steps);
      const found: string[] = [];
      let next = base.after;
      do {
        const after = next === undefined ? {} : { after: next };
        const result = await world.filer.listEntries(TREE, { ...base, ...after });
        if (result.kind === "refused") throw new Error(result.refusal);
        found.push(...result.value.items.map(textOf));
        next = result.value.next;
      } while (next !== undefined);
      expect(found).toEqual(model.list({ ...base, limit: 1000 }).items);
    }),
    { numRuns: 200 },
  );
});
