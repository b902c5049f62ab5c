import { expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryFolder } from "../testing/index.ts";
import { copyDatabase } from "./copy-database.ts";
import { openDatabase } from "./database.ts";

/** Moves amounts between rows, whose sum stays 0, for as long as it lives, and tells how many rounds it has committed. */
const WRITER = `
  const { Database } = await import("bun:sqlite");
  const database = new Database(process.argv[1]);
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA busy_timeout=5000; PRAGMA wal_autocheckpoint=20");
  database.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, value INTEGER, fill TEXT); CREATE TABLE rounds (count INTEGER)");
  database.exec("INSERT INTO rounds VALUES (0)");
  const insert = database.prepare("INSERT INTO rows (value, fill) VALUES (0, ?)");
  const fill = database.transaction(() => { for (let row = 0; row < 200; row += 1) insert.run("x".repeat(3000)); });
  fill();
  const update = database.prepare("UPDATE rows SET value = value + ?, fill = ? WHERE id = ?");
  const count = database.prepare("UPDATE rounds SET count = ?");
  const write = database.transaction((round) => {
    update.run(5, String(round).padStart(3000), 1 + ((round * 7) % 200));
    update.run(-5, String(round).padStart(2000), 1 + ((round * 13) % 200));
    count.run(round);
  });
  for (let round = 1; ; round += 1) {
    write(round);
    if (round % 10 === 0) {
      process.stdout.write(round + "\\n");
      await new Promise(setImmediate);
    }
  }
`;

test("a copy taken while another process writes is one state, with all that was committed before", async () => {
  using folder = temporaryFolder();
  const source = join(folder.path, "source.db");
  const child = Bun.spawn([process.execPath, "-e", WRITER, source], {
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    let committed = 0;
    let text = "";
    let copies = 0;
    for await (const piece of child.stdout) {
      text += Buffer.from(piece).toString();
      committed = Number(text.slice(0, text.lastIndexOf("\n")).split("\n").at(-1));
      const before = committed;
      const target = join(folder.path, `copy-${copies}.db`);
      await copyDatabase(source, target);
      using copy = openDatabase(target);
      const found = copy
        .prepare<{ count: number; sum: number }>(
          "SELECT (SELECT count FROM rounds) AS count, sum(value) AS sum FROM rows",
        )
        .get();
      expect(found?.sum).toBe(0);
      expect(found?.count).toBeGreaterThanOrEqual(before);
      expect(copy.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
      copies += 1;
      if (copies === 12) break;
    }
    expect(copies).toBe(12);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}, 30_000);

test("a copy is page for page the source, so that what did not change is the same block", async () => {
  using folder = temporaryFolder();
  const source = join(folder.path, "source.db");
  using database = openDatabase(source);
  database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, fill TEXT)");
  const insert = database.prepare("INSERT INTO rows (fill) VALUES (?)");
  database.transaction(() => {
    for (let row = 0; row < 2000; row += 1) insert.run("x".repeat(1000));
  });
  const copyOf = async (name: string): Promise<Buffer> => {
    const target = join(folder.path, name);
    // The source is open in this process, which a backup's is not; nobody writes meanwhile.
    await copyDatabase(source, target);
    using copy = openDatabase(target);
    copy.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    return Buffer.from(await Bun.file(target).bytes());
  };
  const first = await copyOf("first.db");
  database.execute("UPDATE rows SET fill = 'changed' WHERE id = 1000");
  const second = await copyOf("second.db");
  let changed = 0;
  for (let at = 0; at < first.length; at += 4096) {
    if (!first.subarray(at, at + 4096).equals(second.subarray(at, at + 4096))) changed += 1;
  }
  expect(first.length).toBeGreaterThan(2_000_000);
  expect(changed).toBeGreaterThan(0);
  expect(changed).toBeLessThan(6);
});

test("a database that is not there is an error and no empty copy", async () => {
  using folder = temporaryFolder();
  const work = copyDatabase(join(folder.path, "none.db"), join(folder.path, "copy.db"));
  expect(await work.catch((error: unknown) => String(error))).toContain("ENOENT");
  expect(await Bun.file(join(folder.path, "copy.db")).exists()).toBe(false);
});
