import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { must } from "@kelp/base";
import { openGuardedDatabase } from "@kelp/base/platform";
import {
  type DiskImage,
  PowerCuts,
  SeededRandom,
  type TemporaryFolder,
  temporaryFolder,
} from "@kelp/base/testing";
import { rowsAfter, rowsIn } from "./sqlite-history.ts";
import { type TracedRun, readTrace, straceArguments } from "./strace-log.ts";

/**
 * What the simulator believes of SQLite, held against its system calls: those of a real process, recorded and then cut at
 * many moments. Only here is the first creation of a database cut.
 */
const COMMITS = 60;
const CUTS = 600;
const STRACE = Bun.which("strace");

describe.skipIf(STRACE === null)("the system calls of SQLite", () => {
  let folder: TemporaryFolder;
  let run: TracedRun;
  const nameOf = (file: number): string => run.files.get(file)?.split("/").at(-1) ?? "";

  beforeAll(async () => {
    folder = temporaryFolder();
    const output = join(folder.path, "..", `${folder.path.split("/").at(-1)}.trace`);
    const script = join(import.meta.dir, "programs", "sqlite-writer.ts");
    const command = [process.execPath, script, join(folder.path, "a.db"), `${COMMITS}`];
    const child = Bun.spawn([must(STRACE ?? undefined), ...straceArguments(output), ...command], {
      stdout: "ignore",
    });
    expect(await child.exited).toBe(0);
    run = readTrace(readFileSync(output, "utf8"), folder.path, (path) => path.endsWith("-shm"));
    await Bun.file(output).delete();
  });
  afterAll(() => folder[Symbol.dispose]());

  test("a commit is in the log and synced before it is answered", () => {
    expect(run.lines.length).toBe(COMMITS + 1);
    for (const { moment } of run.lines) {
      const written = run.events.slice(0, moment);
      const last = written.findLastIndex((event) => event.kind === "write");
      const synced = written.findLastIndex((event) => event.kind === "sync");
      expect(synced).toBeGreaterThan(last);
    }
  });

  test("pages go to the database only from a synced log, and a log begins anew only after they are synced", () => {
    let [log, main, header] = ["clean", "clean", "clean"];
    let checkpoints = 0;
    for (const event of run.events) {
      if (event.kind !== "write" && event.kind !== "sync") continue;
      const isLog = nameOf(event.file).endsWith("-wal");
      const isMain = nameOf(event.file) === "a.db";
      if (event.kind === "sync") {
        if (isLog) [log, header] = ["clean", "clean"];
        if (isMain) main = "clean";
        continue;
      }
      if (isMain) {
        expect(log).toBe("clean");
        main = "dirty";
      }
      if (isLog && event.offset === 0) {
        expect(main).toBe("clean");
        header = "dirty";
        checkpoints += 1;
      } else if (isLog) expect(header).toBe("clean");
      if (isLog) log = "dirty";
    }
    expect(checkpoints).toBeGreaterThan(3);
  });

  test(`${CUTS} power cuts between and in its calls leave every answered commit, and no part of another`, () => {
    const random = new SeededRandom(7);
    const cuts = new PowerCuts(folderAndAbove(folder.path), run.events);
    const moments = Array.from({ length: CUTS }, () => random.below(run.events.length + 1));
    for (const moment of moments.sort((left, right) => left - right)) {
      const answered = run.lines.filter((line) => line.moment <= moment).length - 1;
      const image = cuts.cut(moment, random);
      const rows = reopen(image, join(folder.path, "a.db"));
      const allowed = [answered, answered + 1].map((count) =>
        count < 0 ? undefined : rowsAfter(count),
      );
      expect(allowed).toContain(rows);
    }
  }, 60_000);
});

function folderAndAbove(path: string): DiskImage {
  const image = new Map<string, undefined>();
  for (let at = path; at !== "/"; at = dirname(at)) image.set(at, undefined);
  return image;
}

function reopen(image: DiskImage, path: string): string | undefined {
  using scratch = temporaryFolder();
  for (const suffix of ["", "-wal", "-journal"]) {
    const content = image.get(path + suffix);
    if (content !== undefined) writeFileSync(join(scratch.path, `a.db${suffix}`), content);
  }
  using database = openGuardedDatabase(join(scratch.path, "a.db"), {
    damagedLog: "refuse",
    nowMs: 0,
    onCut: () => undefined,
  });
  return rowsIn(database);
}
