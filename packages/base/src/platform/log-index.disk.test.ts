import { expect, test } from "bun:test";
import {
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import type { SqlDatabase } from "../database.ts";
import { temporaryFolder } from "../testing/index.ts";
import { openDatabase } from "./database.ts";
import { mapLogIndex } from "./log-index.ts";

interface World extends Disposable {
  readonly path: string;
  readonly writer: SqlDatabase;
  readonly reader: SqlDatabase;
  add(): void;
  count(): number | undefined;
}

function openWorld(): World {
  using opened = new DisposableStack();
  const path = `${opened.use(temporaryFolder()).path}/a.db`;
  const writer = opened.use(openDatabase(path));
  writer.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY)");
  const reader = opened.use(openDatabase(path, "read-only"));
  const select = reader.prepare<{ count: number }>("SELECT count(*) AS count FROM rows");
  const owned = opened.move();
  return {
    path,
    writer,
    reader,
    add: () => writer.execute("INSERT INTO rows DEFAULT VALUES"),
    count: () => select.get()?.count,
    [Symbol.dispose]: () => owned.dispose(),
  };
}

test("the version differs after each commit of another connection, and stays while there is none", () => {
  using world = openWorld();
  const seen = new Set([world.reader.version()]);
  for (let commit = 1; commit <= 50; commit++) {
    world.add();
    seen.add(world.reader.version());
    expect(world.count()).toBe(commit);
    seen.add(world.reader.version());
    expect(seen.size).toBe(commit + 1);
  }
});

test("the version differs also where the log begins anew", () => {
  using world = openWorld();
  const seen = new Set([world.reader.version()]);
  for (let round = 1; round <= 5; round++) {
    world.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    world.add();
    world.add();
    seen.add(world.reader.version());
    expect(seen.size).toBe(round + 1);
  }
});

test("what is not committed is no other version", () => {
  using world = openWorld();
  const before = world.reader.version();
  const failing = (): void =>
    world.writer.transaction(() => {
      world.add();
      expect(world.reader.version()).toBe(before);
      throw new Error("undone");
    });
  expect(failing).toThrow("undone");
  expect(world.reader.version()).toBe(before);
});

test("inside a snapshot the version tells of what came after it", () => {
  using world = openWorld();
  world.reader.snapshot(() => {
    const before = world.reader.version();
    expect(world.count()).toBe(0);
    world.add();
    expect(world.reader.version()).not.toBe(before);
    expect(world.count()).toBe(0);
  });
  expect(world.count()).toBe(1);
});

test("the index is looked at by itself, and says what the database does", () => {
  using world = openWorld();
  world.count();
  const index = mapLogIndex(world.path);
  const before = index?.version();
  expect([before, index?.isInPlace()]).toEqual([world.reader.version(), true]);
  world.add();
  expect(index?.version()).not.toBe(before);
  expect(index?.version()).toBe(world.reader.version());
});

test("an index that another has taken the place of is not gone by", () => {
  using world = openWorld();
  const index = mapLogIndex(world.path);
  renameSync(`${world.path}-shm`, `${world.path}-former`);
  expect(index?.isInPlace()).toBe(false);
  copyFileSync(`${world.path}-former`, `${world.path}-shm`);
  expect(index?.isInPlace()).toBe(false);
  renameSync(`${world.path}-former`, `${world.path}-shm`);
  expect(index?.isInPlace()).toBe(true);
});

test("a process that looks at the index keeps its lock on it, so that nobody makes it anew meanwhile", async () => {
  using world = openWorld();
  world.add();
  const script = `
    import { openDatabase } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
    using reader = openDatabase(${JSON.stringify(world.path)}, "read-only");
    reader.version();
    console.log(reader.version());
    for await (const _ of process.stdin);
  `;
  await using child = Bun.spawn([process.execPath, "-e", script], { stdin: "pipe" });
  const version = await child.stdout.getReader().read();
  expect(Number(new TextDecoder().decode(version.value))).toBe(world.reader.version());
  const { ino } = statSync(`${world.path}-shm`);
  const locks = readFileSync("/proc/locks", "utf8").split("\n");
  const held = locks.filter((line) => line.includes(` ${child.pid} `) && line.includes(`:${ino} `));
  expect(held.length).toBe(1);
  await child.stdin.end();
  expect(await child.exited).toBe(0);
});

test("what is no index, or none that is known, is not looked at", () => {
  using world = openWorld();
  world.count();
  const other = `${world.path}-other`;
  expect(mapLogIndex(other)).toBeUndefined();
  writeFileSync(`${other}-shm`, new Uint8Array(32_768));
  expect(mapLogIndex(other)).toBeUndefined();
  rmSync(`${other}-shm`);
  copyFileSync(`${world.path}-shm`, `${other}-shm`);
  expect(mapLogIndex(other)).toBeDefined();
  truncateSync(`${other}-shm`, 40);
  expect(mapLogIndex(other)).toBeUndefined();
});

test("without an index of its log a database is asked by a statement", () => {
  using database = openDatabase(":memory:");
  expect(database.version()).toBe(database.version());
});
