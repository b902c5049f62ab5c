import { expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { silentLog } from "@kelp/base";
import { openDatabase, systemClock, systemDisk } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { StartError } from "../errors.ts";
import { openDataFolder } from "./data-folder.ts";
import { openFolderDatabase } from "./folder-database.ts";

test("a folder whose database has a rotten log is refused, and opens once the loss is accepted", async () => {
  using scratch = temporaryFolder();
  using folder = await openDataFolder(scratch.path, { disk: systemDisk, clock: systemClock });
  const path = folder.file("iam");
  const running = join(scratch.path, "running.db");
  {
    using database = openDatabase(running);
    database.execute("CREATE TABLE a (id INTEGER)");
    for (let id = 0; id < 9; id += 1) database.prepare("INSERT INTO a VALUES (?)").run(id);
    for (const end of ["", "-wal"]) copyFileSync(running + end, path + end);
  }
  const log = readFileSync(`${path}-wal`).fill(0xee, 6000, 6009);
  writeFileSync(`${path}-wal`, log);
  const open = (damagedLog: "refuse" | "accept-loss"): Disposable =>
    openFolderDatabase(folder, "iam", { damagedLog, log: silentLog });
  let refusal: unknown;
  try {
    open("refuse");
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(StartError);
  expect(refusal).toMatchObject({ code: "log-damaged" });
  expect(readFileSync(`${path}-wal`)).toEqual(log);
  using opened = open("accept-loss");
  expect(opened).toBeDefined();
  const kept = (await systemDisk.list(scratch.path)).filter((name) => name.includes(".kept-"));
  expect(kept.map((name) => readFileSync(join(scratch.path, name)))).toEqual([log]);
  expect(existsSync(path)).toBe(true);
});
