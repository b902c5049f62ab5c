import { expect, test } from "bun:test";
import { type SqlDatabase, must } from "@kelp/base";
import { openDatabase } from "@kelp/base/platform";
import { COMMIT_BATCH_MAX, COMMIT_QUEUE_MAX } from "../limits.ts";
import { codeOf } from "../testing/index.ts";
import { GroupCommit } from "./group-commit.ts";

interface CommitWorld extends Disposable {
  readonly commit: GroupCommit;
  readonly database: SqlDatabase;
  readonly turns: (() => void)[];
  rollbacks: number;
  commits: number;
  failure: Error | undefined;
}

/** Turns are run by hand, and the commit of the next transaction fails when `failure` is set. */
function openCommitWorld(): CommitWorld {
  const database = openDatabase(":memory:");
  database.execute("CREATE TABLE notes (text TEXT)");
  const turns: (() => void)[] = [];
  const world: CommitWorld = {
    database,
    turns,
    rollbacks: 0,
    commits: 0,
    failure: undefined,
    commit: new GroupCommit({
      database,
      beforeCommit: () => {
        if (world.failure !== undefined) throw world.failure;
        world.commits += 1;
      },
      afterRollback: () => {
        world.rollbacks += 1;
      },
      defer: (run) => turns.push(run),
    }),
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
  return world;
}

function note(world: CommitWorld, text: string): Promise<string> {
  return world.commit.run(() => {
    world.database.prepare("INSERT INTO notes VALUES (?)").run(text);
    return text;
  });
}

function notes(world: CommitWorld): string[] {
  const rows = world.database.prepare<{ text: string }>("SELECT text FROM notes").all();
  return rows.map((row) => row.text);
}

function turn(world: CommitWorld): void {
  must(world.turns.shift())();
}

test("operations of one turn share one transaction and get their own values", async () => {
  using world = openCommitWorld();
  const both = [note(world, "a"), note(world, "b")];
  expect(notes(world)).toEqual([]);
  turn(world);
  expect(await Promise.all(both)).toEqual(["a", "b"]);
  expect(world.commits).toBe(1);
});

test("a batch is bounded, and what is left goes by the next turn", async () => {
  using world = openCommitWorld();
  const all = Array.from({ length: COMMIT_BATCH_MAX + 1 }, (_, index) => note(world, `${index}`));
  turn(world);
  expect(notes(world).length).toBe(COMMIT_BATCH_MAX);
  turn(world);
  expect((await Promise.all(all)).length).toBe(COMMIT_BATCH_MAX + 1);
  expect(world.commits).toBe(2);
});

test("a commit without space rejects its whole batch, applies nothing, and later batches work", async () => {
  using world = openCommitWorld();
  world.failure = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
  const both = [codeOf(note(world, "a")), codeOf(note(world, "b"))];
  turn(world);
  expect(await Promise.all(both)).toEqual(["out-of-space", "out-of-space"]);
  expect(notes(world)).toEqual([]);
  expect(world.rollbacks).toBe(1);
  world.failure = undefined;
  const later = note(world, "c");
  turn(world);
  await later;
  expect(notes(world)).toEqual(["c"]);
});

test("a commit that fails otherwise rejects with the code of the store", async () => {
  using world = openCommitWorld();
  world.failure = Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_FSYNC" });
  const code = codeOf(note(world, "a"));
  turn(world);
  expect(await code).toBe("store-failed");
});

test("a full queue refuses", async () => {
  using world = openCommitWorld();
  const all = Array.from({ length: COMMIT_QUEUE_MAX }, () => world.commit.run(() => 0));
  expect(await codeOf(note(world, "one too many"))).toBe("overloaded");
  world.commit.close();
  await Promise.all(all);
});

test("closing commits what waits and refuses what comes later", async () => {
  using world = openCommitWorld();
  const waiting = note(world, "a");
  world.commit.close();
  expect(await waiting).toBe("a");
  expect(await codeOf(note(world, "b"))).toBe("closed");
});
