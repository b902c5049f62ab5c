import { expect, test } from "bun:test";
import { must } from "@kelp/base";
import { openDatabase } from "@kelp/base/platform";
import type { FeedItem, TreeName } from "@kelp/wire";
import { CHANGES_KEPT_MAX, CHANGES_PRUNE_EVERY } from "../limits.ts";
import { TREE, noise, openFilerWorld, openTreeWorld, pathOf, write } from "../testing/index.ts";

function textOf(item: FeedItem): string {
  if (item.kind === "change") return `${item.change.kind} ${item.change.tree}/${item.change.path}`;
  return item.kind;
}

/** The next items of a subscription, as texts. */
async function take(feed: AsyncIterator<FeedItem>, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const next = await feed.next();
    if (next.done === true) return [...texts, "end"];
    texts.push(textOf(next.value));
  }
  return texts;
}

test("a subscriber is given what was, told when it has all, and then woken by each commit", async () => {
  using world = await openTreeWorld();
  await write(world, "a", noise(1));
  const stop = new AbortController();
  const feed = world.filer.subscribe({ after: 0, signal: stop.signal })[Symbol.asyncIterator]();
  expect(await take(feed, 3)).toEqual(["create-tree tree/", "put tree/a", "caught-up"]);
  const waiting = take(feed, 2);
  await write(world, "b", noise(1));
  expect(await waiting).toEqual(["put tree/b", "caught-up"]);
  const last = take(feed, 1);
  stop.abort();
  expect(await last).toEqual(["end"]);
});

test("a subscriber resumes behind the position it had dealt with", async () => {
  using world = await openTreeWorld();
  const { position } = await write(world, "a", noise(1));
  await write(world, "b", noise(1));
  const stop = new AbortController();
  const feed = world.filer.subscribe({ after: position, signal: stop.signal });
  const iterator = feed[Symbol.asyncIterator]();
  expect(await take(iterator, 2)).toEqual(["put tree/b", "caught-up"]);
  await iterator.return?.();
  stop.abort();
});

test("other trees are left out, and still move the position to resume from", async () => {
  using world = await openTreeWorld();
  await world.filer.createTree({ name: "zoo" as TreeName, kind: "bucket", owner: "ada" });
  const { position } = await write(world, "a", noise(1));
  const stop = new AbortController();
  const feed = world.filer.subscribe({ after: 0, treePrefix: "z", signal: stop.signal });
  const items: FeedItem[] = [];
  for await (const item of feed) {
    items.push(item);
    if (item.kind === "caught-up") break;
  }
  expect(items.map(textOf)).toEqual(["create-tree zoo/", "caught-up"]);
  expect(items.at(-1)).toEqual({ kind: "caught-up", position });
});

test("more changes than a page holds come in order, each once", async () => {
  using world = await openTreeWorld();
  const paths = Array.from({ length: 2500 }, (_, index) => `p${index}`);
  await Promise.all(paths.map((path) => write(world, path, noise(1))));
  const stop = new AbortController();
  const feed = world.filer.subscribe({ after: 0, signal: stop.signal })[Symbol.asyncIterator]();
  const found = await take(feed, paths.length + 2);
  expect(found).toEqual([
    "create-tree tree/",
    ...paths.map((path) => `put tree/${path}`),
    "caught-up",
  ]);
});

test("a position that is no longer kept is told apart from one without changes", async () => {
  using database = openDatabase(":memory:");
  const newest = CHANGES_KEPT_MAX + 3 * CHANGES_PRUNE_EVERY;
  {
    using world = openFilerWorld({ database: keptOpen(database) });
    await world.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
    database.execute(`UPDATE changes SET position = ${newest}`);
  }
  using world = openFilerWorld({ database: keptOpen(database) });
  const stop = new AbortController();
  const follow = async (after: number): Promise<FeedItem> => {
    const feed = world.filer.subscribe({ after, signal: stop.signal })[Symbol.asyncIterator]();
    return must((await feed.next()).value as FeedItem | undefined);
  };
  const keptAfter = newest - (newest % CHANGES_PRUNE_EVERY) - CHANGES_KEPT_MAX;
  expect(await follow(0)).toEqual({ kind: "position-gone", keptAfter });
  expect(await follow(keptAfter - 1)).toEqual({ kind: "position-gone", keptAfter });
  expect((await follow(keptAfter)).kind).toBe("change");
  expect((await follow(newest)).kind).toBe("caught-up");
  const gone = world.filer.subscribe({ after: 0, signal: stop.signal });
  expect((await Array.fromAsync(gone)).length).toBe(1);
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("x") });
});

test("a position that was told is not given to a later change, also when writes failed before a restart", async () => {
  using database = openDatabase(":memory:");
  let isFailing = false;
  const failing = {
    ...keptOpen(database),
    transaction: <Value>(work: () => Value) =>
      database.transaction(() => {
        const value = work();
        if (isFailing) throw new Error("the disk is full");
        return value;
      }),
  };
  const stop = new AbortController();
  let position = 0;
  {
    using world = openFilerWorld({ database: failing });
    await world.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
    await write(world, "a", noise(1));
    isFailing = true;
    for (const path of ["b", "c"]) {
      expect(await write(world, path, noise(1)).then(() => "written", String)).not.toBe("written");
    }
    for await (const item of world.filer.subscribe({ after: 0, signal: stop.signal })) {
      if (item.kind === "caught-up") {
        ({ position } = item);
        break;
      }
    }
  }
  using world = openFilerWorld({ database: keptOpen(database) });
  await write(world, "d", noise(1));
  const feed = world.filer.subscribe({ after: position, signal: stop.signal });
  expect(await take(feed[Symbol.asyncIterator](), 2)).toEqual(["put tree/d", "caught-up"]);
});

test("a position of another history, which no change here has reached, is gone", async () => {
  using world = await openTreeWorld();
  const { position } = await write(world, "a", noise(1));
  const stop = new AbortController();
  const feed = world.filer.subscribe({ after: position + 1, signal: stop.signal });
  expect(await Array.fromAsync(feed)).toEqual([{ kind: "position-gone", keptAfter: 0 }]);
});

/** A database that outlives the world that stands on it. */
function keptOpen(database: ReturnType<typeof openDatabase>): ReturnType<typeof openDatabase> {
  return {
    execute: (sql) => database.execute(sql),
    prepare: (sql) => database.prepare(sql),
    transaction: (work) => database.transaction(work),
    snapshot: (work) => database.snapshot(work),
    version: () => database.version(),
    [Symbol.dispose]: () => undefined,
  };
}
