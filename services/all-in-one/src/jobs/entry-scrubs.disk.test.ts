import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { S3Client } from "bun";
import { Foreground, type Log, silentLog } from "@kelp/base";
import { openDatabase, systemClock, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { openTestServer } from "../testing/opened-server.ts";
import { EntryScrubs } from "./entry-scrubs.ts";

const RUNNING = new AbortController().signal;

/** A folder with one small object in the pages of its database. */
async function makeFolder(path: string): Promise<string> {
  const dir = join(path, "data");
  {
    await using server = await openTestServer(dir);
    const client = new S3Client({ endpoint: server.s3Url, bucket: "mlpipeline", ...server.root });
    await client.write("small", "a small body that is inline");
  }
  using database = openDatabase(join(dir, "filer.db"));
  database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  return join(dir, "filer.db");
}

test("entries are scrubbed once in a cycle, and damage is told until a scrub finds none", async () => {
  using folder = temporaryFolder();
  const database = await makeFolder(folder.path);
  let nowMs = 1000;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const told: unknown[] = [];
  const log: Log = { ...silentLog, error: (_message, fields) => void told.push(fields) };
  const scrubs = new EntryScrubs({
    openReader: () => openDatabase(database, "read-only"),
    cycleMs: 500,
    clock,
    hashes: systemHashes,
    foreground: new Foreground(clock),
    log,
  });
  await scrubs.round(RUNNING);
  expect(scrubs.figures()).toEqual({ scrubCount: 1, damagedCount: 0 });
  const whole = readFileSync(database);
  const at = whole.indexOf("a small body");
  expect(at).toBeGreaterThan(0);
  const damaged = Buffer.from(whole);
  damaged[at] = (damaged[at] ?? 0) ^ 1;
  writeFileSync(database, damaged);
  nowMs += 499;
  await scrubs.round(RUNNING);
  expect(scrubs.figures()).toEqual({ scrubCount: 1, damagedCount: 0 });
  nowMs += 1;
  await scrubs.round(RUNNING);
  expect(scrubs.figures()).toEqual({ scrubCount: 2, damagedCount: 1 });
  expect(told).toMatchObject([{ damaged_count: 1, reason: expect.stringContaining("content") }]);
  writeFileSync(database, whole);
  nowMs += 500;
  await scrubs.round(RUNNING);
  expect(scrubs.figures()).toEqual({ scrubCount: 3, damagedCount: 0 });
});
