import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "../assert.ts";
import type { SqlDatabase } from "../database.ts";
import { SeededRandom, temporaryFolder } from "../testing/index.ts";
import { openDatabase } from "./database.ts";
import { DamagedLogError, type CutLog, openGuardedDatabase } from "./guarded-database.ts";

/** A database as a killed process leaves it: file and log. */
interface Killed {
  readonly main: Uint8Array;
  readonly log: Buffer;
}

interface Opened {
  /** `undefined`: it was refused. */
  readonly rows: string | undefined;
  readonly cuts: readonly number[];
  readonly keptCopies: readonly Buffer[];
}

const COMMITS = 61;
const FLIPS = 1000;
const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4096;

let scratch: string;
let plain: Killed;
let begunAnew: Killed;
let checkpointed: Killed;
let whole: string;

beforeAll(() => {
  // Memory where there is some: thousands of syncs say nothing here.
  scratch = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "kelp-log-"));
  plain = kill((database) => commitAll(database));
  begunAnew = kill((database) => {
    for (let commit = -90; commit < 0; commit += 1) commitOne(database, commit);
    database.execute("PRAGMA wal_checkpoint(RESTART)");
    commitAll(database);
  });
  checkpointed = kill((database) => {
    commitAll(database);
    database.execute("PRAGMA wal_checkpoint(PASSIVE)");
  });
  whole = must(open(plain).rows);
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function kill(work: (database: SqlDatabase) => void): Killed {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  using database = openDatabase(path);
  database.execute("PRAGMA wal_autocheckpoint = 0");
  database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, number INTEGER, bytes BLOB)");
  database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  work(database);
  return { main: readFileSync(path), log: readFileSync(`${path}-wal`) };
}

function commitAll(database: SqlDatabase): void {
  for (let commit = 1; commit <= COMMITS; commit += 1) commitOne(database, commit);
}

function commitOne(database: SqlDatabase, commit: number): void {
  const bytes = new Uint8Array(100 + ((Math.abs(commit) * 1733) % 6000)).fill(commit & 0xff);
  database
    .prepare("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)")
    .run(commit < 0 ? 1000 - commit : commit % 12, commit, bytes);
}

function rowsIn(database: SqlDatabase): string {
  const rows = database
    .prepare<{ id: number; number: number; bytes: Uint8Array }>("SELECT * FROM rows ORDER BY id")
    .all();
  return JSON.stringify(
    rows.map(({ id, number, bytes }) => ({ id, number, hash: `${Bun.hash(bytes)}` })),
  );
}

function open(killed: Killed, damagedLog: "refuse" | "accept-loss" = "refuse"): Opened {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch);
  const path = join(scratch, "a.db");
  writeFileSync(path, killed.main);
  writeFileSync(`${path}-wal`, killed.log);
  const cuts: number[] = [];
  const options = {
    damagedLog,
    nowMs: 5,
    onCut: ({ offset }: CutLog) => void cuts.push(offset),
  };
  const rows = rowsOrRefusal(path, options);
  const keptCopies = readdirSync(scratch)
    .filter((name) => name.includes(".kept-"))
    .map((name) => readFileSync(join(scratch, name)));
  return { rows, cuts, keptCopies };
}

function rowsOrRefusal(
  path: string,
  options: Parameters<typeof openGuardedDatabase>[1],
): string | undefined {
  try {
    using database = openGuardedDatabase(path, options);
    return rowsIn(database);
  } catch (error) {
    expect(error).toBeInstanceOf(DamagedLogError);
    return undefined;
  }
}

function damaged(killed: Killed, change: (log: Buffer) => void): Killed {
  const log = Buffer.from(killed.log);
  change(log);
  return { main: killed.main, log };
}

function flip(log: Buffer, bit: number): void {
  log[bit >> 3] = must(log[bit >> 3]) ^ (1 << (bit & 7));
}

/** Where frames begin that end a transaction, oldest first; of the newest log in the file only. */
function commitFrames({ log }: Killed): number[] {
  const offsets: number[] = [];
  for (let at = HEADER_BYTES; at + FRAME_BYTES <= log.length; at += FRAME_BYTES) {
    const isCurrent = log.compare(log, 16, 24, at + 8, at + 16) === 0;
    if (isCurrent && log.readUInt32BE(at + 4) !== 0) offsets.push(at);
  }
  return offsets;
}

describe("the log of a killed process", () => {
  test("opens with every row, and is folded into the database", () => {
    for (const killed of [plain, begunAnew, checkpointed]) {
      expect(open(killed)).toMatchObject({ cuts: [], keptCopies: [] });
    }
    expect(open(checkpointed).rows).toBe(whole);
    using folder = temporaryFolder();
    const path = join(folder.path, "a.db");
    writeFileSync(path, plain.main);
    writeFileSync(`${path}-wal`, plain.log);
    using database = openGuardedDatabase(path, {
      damagedLog: "refuse",
      nowMs: 5,
      onCut: () => undefined,
    });
    expect(readFileSync(`${path}-wal`).length).toBe(0);
    expect(rowsIn(database)).toBe(whole);
  });

  test("that is absent, empty, short, or of noise opens", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "a.db");
    using made = openGuardedDatabase(path, {
      damagedLog: "refuse",
      nowMs: 5,
      onCut: () => undefined,
    });
    made.execute("CREATE TABLE rows (id, number, bytes)");
    made.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    const main = readFileSync(path);
    const noise = Buffer.from(new SeededRandom(3).bytes(50_000));
    for (const log of [Buffer.alloc(0), plain.log.subarray(0, 32), Buffer.alloc(20_000), noise]) {
      expect(open({ main, log })).toEqual({ rows: "[]", cuts: [], keptCopies: [] });
    }
  });

  test("cut off anywhere opens with some first transactions", () => {
    const random = new SeededRandom(2);
    for (let cut = 0; cut < 40; cut += 1) {
      const log = plain.log.subarray(0, random.below(plain.log.length));
      const atFrames = commitFrames({ main: plain.main, log }).length;
      expect(open({ main: plain.main, log }).cuts).toEqual([]);
      if (atFrames > COMMITS) expect(open({ main: plain.main, log }).rows).toBe(whole);
    }
  });

  test("whose last transaction is torn opens without it, whatever of it is there", () => {
    const [from, last] = commitFrames(plain).slice(-2);
    const start = must(from) + FRAME_BYTES;
    for (let torn = start; torn <= must(last); torn += FRAME_BYTES) {
      const opened = open(damaged(plain, (log) => log.fill(0xee, torn + 100, torn + 700)));
      expect(opened.cuts).toEqual([]);
      expect(opened.rows).not.toBeUndefined();
      expect(opened.rows).not.toBe(whole);
    }
  });
});

describe("a flipped bit", () => {
  test(`takes no transaction back but the last, or is refused: ${FLIPS} of ${FLIPS}`, () => {
    const random = new SeededRandom(1);
    let refused = 0;
    for (const killed of [plain, begunAnew, checkpointed]) {
      const rows = must(open(killed).rows);
      const [before, last] = commitFrames(killed)
        .slice(-2)
        .map((at) => at + FRAME_BYTES);
      const withoutLast = open({ main: killed.main, log: killed.log.subarray(0, before) }).rows;
      for (let count = 0; count < Math.ceil(FLIPS / 3); count += 1) {
        // Headers are small: as many flips in them as in pages.
        const frame = random.below(Math.floor((killed.log.length - HEADER_BYTES) / FRAME_BYTES));
        const at = random.pick([
          random.below(HEADER_BYTES),
          HEADER_BYTES + frame * FRAME_BYTES + random.below(24),
          HEADER_BYTES + frame * FRAME_BYTES + random.below(FRAME_BYTES),
        ]);
        const bit = at * 8 + random.below(8);
        const opened = open(damaged(killed, (log) => flip(log, bit)));
        const isInLast = at >= must(before) && at < must(last);
        // In a file that was checkpointed, the pages of the last transaction are in the database.
        if (opened.rows === undefined) refused += 1;
        else if (isInLast) expect([rows, withoutLast]).toContain(opened.rows);
        else expect({ bit, isSame: opened.rows === rows }).toEqual({ bit, isSame: true });
      }
    }
    // The rest is in frames of an earlier log, or in the last transaction.
    expect(refused).toBeGreaterThan(FLIPS / 2);
  }, 60_000);

  test("anywhere in the end of the last transaction but one is refused", () => {
    const at = must(commitFrames(plain).at(-2));
    // Where a sector begins within the commit mark's part of a header, the mark may be a remnant of an earlier frame.
    expect(at % 512).not.toBe(504);
    for (let bit = at * 8; bit < (at + 200) * 8; bit += 1) {
      expect({ bit, ...open(damaged(plain, (log) => flip(log, bit))) }).toMatchObject({
        bit,
        rows: undefined,
      });
    }
  }, 30_000);
});

describe("damage of several bits", () => {
  test("is refused wherever two later transactions would be lost by it", () => {
    const random = new SeededRandom(4);
    const end = must(commitFrames(plain).at(-3)) + FRAME_BYTES;
    let refused = 0;
    for (let count = 0; count < 100; count += 1) {
      const at = HEADER_BYTES + random.below(end - HEADER_BYTES - 3);
      const rotten = damaged(plain, (log) => log.set(random.bytes(3), at));
      const opened = open(rotten);
      if (opened.rows === undefined) refused += 1;
      else expect({ at, rows: opened.rows }).toEqual({ at, rows: whole });
    }
    expect(refused).toBeGreaterThan(80);
  });

  test("in the header is refused, and of one whose pages are in the database", () => {
    expect(open(damaged(plain, (log) => log.fill(0, 0, 32))).rows).toBeUndefined();
    const at = must(commitFrames(checkpointed)[5]) + 500;
    expect(open(damaged(checkpointed, (log) => log.fill(0xee, at, at + 9))).rows).toBeUndefined();
  });

  test("in frames of an earlier log is none", () => {
    const rows = open(begunAnew).rows;
    const end = must(commitFrames(begunAnew).at(-1)) + FRAME_BYTES;
    expect(begunAnew.log.length).toBeGreaterThan(end + FRAME_BYTES);
    const opened = open(damaged(begunAnew, (log) => log.fill(0xee, end + 100, end + 200)));
    expect(opened).toEqual({ rows, cuts: [], keptCopies: [] });
  });

  test("is cut off with all behind it when the loss is accepted, and the log is kept as it was", () => {
    const at = must(commitFrames(plain)[20]) + 500;
    const rotten = damaged(plain, (log) => log.fill(0xee, at, at + 9));
    const opened = open(rotten, "accept-loss");
    expect(opened).toMatchObject({ cuts: [at - 500], keptCopies: [rotten.log] });
    expect(JSON.parse(must(opened.rows)).length).toBe(12);
    expect(opened.rows).not.toBe(whole);
  });

  test("is met once: what is written afterwards opens", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "a.db");
    const at = must(commitFrames(plain)[20]) + 500;
    writeFileSync(path, plain.main);
    writeFileSync(`${path}-wal`, damaged(plain, (log) => log.fill(0xee, at, at + 9)).log);
    const onCut = (): undefined => undefined;
    {
      using database = openGuardedDatabase(path, {
        damagedLog: "accept-loss",
        nowMs: 5,
        onCut,
      });
      commitOne(database, 1000);
      for (const end of ["", "-wal"]) copyFileSync(path + end, `${folder.path}/b.db${end}`);
    }
    using again = openGuardedDatabase(`${folder.path}/b.db`, {
      damagedLog: "refuse",
      nowMs: 6,
      onCut,
    });
    expect(rowsIn(again)).toContain('"number":1000');
    expect(existsSync(`${path}-wal.kept-5`)).toBe(true);
  });
});
