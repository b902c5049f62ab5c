import { expect, test } from "bun:test";
import { migrate, type SqlDatabase } from "@kelp/base";
import { openDatabase, systemClock, systemHashes, systemRandom } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { TREE } from "../../testing/index.ts";
import { NewestState } from "./newest-state.ts";
import { MIGRATIONS } from "./schema.ts";
import { type StoreTables, openStoreTables } from "./store-tables.ts";

interface World extends Disposable {
  readonly newest: NewestState;
  readonly tables: StoreTables;
  readonly reader: SqlDatabase;
  setQuota(bytes: number): void;
  /** What the row says, not memory. */
  quota(): number | undefined;
}

/** A tree that one connection changes, and what another keeps of it. */
function openWorld(): World {
  using opened = new DisposableStack();
  const file = `${opened.use(temporaryFolder()).path}/filer.db`;
  const deps = { clock: systemClock, random: systemRandom, hashes: systemHashes };
  const writer = opened.use(openDatabase(file));
  migrate(writer, "filer", MIGRATIONS);
  openStoreTables({ ...deps, database: writer }).trees.insert(
    { name: TREE, kind: "bucket", owner: "ada" },
    1,
  );
  const reader = opened.use(openDatabase(file, "read-only"));
  const tables = openStoreTables({ ...deps, database: reader });
  const update = writer.prepare("UPDATE trees SET quota_bytes = ?");
  const select = reader.prepare<{ bytes: number }>("SELECT quota_bytes AS bytes FROM trees");
  const owned = opened.move();
  return {
    newest: new NewestState(reader, tables),
    tables,
    reader,
    setQuota: (bytes) => void update.run(bytes),
    quota: () => select.get()?.bytes,
    [Symbol.dispose]: () => owned.dispose(),
  };
}

test("what is read briefly is of one state, also when a commit came in between", async () => {
  using world = openWorld();
  world.setQuota(1);
  let attempts = 0;
  const read = async (): Promise<unknown> => {
    attempts += 1;
    const first = [world.tables.trees.find(TREE)?.quota?.bytes, world.quota()];
    if (attempts < 3) world.setQuota(attempts + 1);
    return [...first, world.quota()];
  };
  // The first attempt sees a commit, and the second is in a snapshot, which does not.
  expect(await world.newest.readBriefly(read)).toEqual([2, 2, 2]);
  expect(attempts).toBe(2);
  expect(await world.newest.readBriefly(read)).toEqual([3, 3, 3]);
  expect(attempts).toBe(3);
});

test("what fails because a commit came in between is read again", async () => {
  using world = openWorld();
  world.setQuota(1);
  let attempts = 0;
  const read = async (): Promise<number | undefined> => {
    attempts += 1;
    if (attempts > 1) return world.quota();
    world.setQuota(7);
    throw new Error("of two states");
  };
  expect(await world.newest.readBriefly(read)).toBe(7);
  const failing = world.newest.readBriefly(() => Promise.reject(new Error("of one state")));
  expect(failing).rejects.toThrow("of one state");
});

test("a snapshot that begins after a commit takes nothing from memory that is older", () => {
  using world = openWorld();
  const read = (): unknown =>
    world.newest.read(() => [world.tables.trees.find(TREE)?.quota?.bytes, world.quota()]);
  for (const bytes of [1, 2, 3]) {
    world.setQuota(bytes);
    expect(world.newest.findTree(TREE)?.quota?.bytes).toBe(bytes);
    expect(read()).toEqual([bytes, bytes]);
    expect(read()).toEqual([bytes, bytes]);
  }
});

test("a commit between the look and the snapshot leaves memory of neither state behind", () => {
  using world = openWorld();
  world.setQuota(1);
  world.newest.read(() => world.tables.trees.find(TREE));
  const late: SqlDatabase = {
    execute: (sql) => world.reader.execute(sql),
    prepare: (sql) => world.reader.prepare(sql),
    transaction: (work) => world.reader.transaction(work),
    snapshot: (work) => world.reader.snapshot(work),
    version() {
      const version = world.reader.version();
      // Behind the look, before anything is read.
      if (commits.length > 0) world.setQuota(commits.shift() ?? 0);
      return version;
    },
    [Symbol.dispose]: () => undefined,
  };
  const commits = [2];
  const newest = new NewestState(late, world.tables);
  const read = (): unknown =>
    newest.read(() => [world.tables.trees.find(TREE)?.quota?.bytes, world.quota()]);
  expect(read()).toEqual([2, 2]);
  commits.push(3);
  expect(read()).toEqual([3, 3]);
  world.setQuota(4);
  expect(newest.findTree(TREE)?.quota?.bytes).toBe(4);
});
