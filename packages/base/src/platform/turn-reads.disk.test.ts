import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import type { SqlDatabase } from "../database.ts";
import { temporaryFolder } from "../testing/index.ts";
import { openDatabase } from "./database.ts";

interface World extends Disposable {
  readonly database: SqlDatabase;
  read(times?: number): (number | undefined)[];
  /** Whether nobody reads, as another connection sees it: then the log can be emptied. */
  isFree(): boolean;
}

function openWorld(): World {
  using opened = new DisposableStack();
  const path = `${opened.use(temporaryFolder()).path}/a.db`;
  const database = opened.use(openDatabase(path));
  database.execute("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1)");
  const other = opened.adopt(new Database(path), (each) => each.close(false));
  other.exec("PRAGMA busy_timeout = 0");
  const fold = other.prepare<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)");
  const select = database.prepare<{ n: number }>("SELECT n FROM t");
  const owned = opened.move();
  return {
    database,
    read: (times = 1) => Array.from({ length: times }, () => select.get()?.n),
    isFree: () => fold.get()?.busy === 0,
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("the reads of a turn hold one state, and let go with the turn", async () => {
  using world = openWorld();
  expect(world.isFree()).toBe(true);
  expect(world.read(5)).toEqual([1, 1, 1, 1, 1]);
  world.database.prepare("UPDATE t SET n = 2").run();
  world.read(5);
  expect(world.isFree()).toBe(false);
  await turn();
  expect(world.isFree()).toBe(true);
});

test("what the connection itself writes is committed at once, and read in the same turn", () => {
  using world = openWorld();
  const update = world.database.prepare<{ n: number }>("UPDATE t SET n = n + 1 RETURNING n");
  const steps: ((expected: number) => void)[] = [
    () => world.database.execute("UPDATE t SET n = n + 1"),
    () => void update.run(),
    (expected) => expect(update.get()?.n).toBe(expected),
    () => world.database.transaction(() => void update.run()),
    () => world.database.transaction(() => [world.read(3), update.run(), world.read(3)]),
  ];
  let expected = 1;
  for (const step of steps) {
    expect(world.read()).toEqual([expected]);
    world.read(3);
    expected += 1;
    step(expected);
    // Nobody but a committed writer has let go.
    expect([world.isFree(), world.read()]).toEqual([true, [expected]]);
  }
});

test("a transaction that fails leaves nothing behind, and reads go on", async () => {
  using world = openWorld();
  world.read(3);
  const fail = (): void =>
    world.database.transaction(() => {
      world.database.execute("UPDATE t SET n = 9");
      world.read(3);
      throw new Error("no");
    });
  expect(fail).toThrow("no");
  expect(world.read(3)).toEqual([1, 1, 1]);
  await turn();
  expect(world.isFree()).toBe(true);
});

test("a read that fails is one read that failed", async () => {
  using world = openWorld();
  const failing = world.database.prepare("SELECT abs(n - 9223372036854775807 - 2) FROM t");
  world.read(3);
  expect(() => failing.get()).toThrow("overflow");
  expect(world.read(3)).toEqual([1, 1, 1]);
  await turn();
  expect(world.isFree()).toBe(true);
});

test("a snapshot and a version are asked for among the reads of a turn", () => {
  using world = openWorld();
  world.read(3);
  const version = world.database.version();
  expect(world.database.snapshot(() => world.read(3))).toEqual([1, 1, 1]);
  expect([world.database.version(), world.isFree()]).toEqual([version, true]);
  expect(() =>
    world.database.snapshot(() => {
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(world.read(3)).toEqual([1, 1, 1]);
});

test("who reads one thing a turn holds nothing, until many are read again", async () => {
  using world = openWorld();
  world.read();
  world.database.prepare("UPDATE t SET n = 2").run();
  await turn();
  for (let count = 0; count < 64; count++) {
    expect([world.read(), world.isFree()]).toEqual([[2], true]);
  }
  world.read();
  world.database.prepare("UPDATE t SET n = 3").run();
  world.read();
  expect(world.read(2)).toEqual([3, 3]);
});

test("what is closed in the middle of a turn is closed, and the end of the turn says nothing", async () => {
  using world = openWorld();
  world.read(3);
  world.database[Symbol.dispose]();
  expect(world.isFree()).toBe(true);
  await turn();
});
