import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CrashLedger } from "./harness/crash-ledger.ts";
import { KELP, KelpServer } from "./harness/kelp-server.ts";
import { submitRun, waitForRun } from "./harness/pipelines-client.ts";
import { runProgram } from "./harness/programs.ts";

/**
 * kill -9 during concurrent writers and a running pipeline, in one folder. After each restart the newest round, and now and then
 * all of it, is compared: every acknowledged object is there with its bytes, what was removed stays away, nothing half-written is
 * listed. In the end every byte is read and every run has ended.
 *
 * `KELP_TEST_CRASH_ROUNDS` makes the test longer; with `KELP_TEST_CRASH_STATE`, a folder, it goes on where an earlier
 * run of it stopped.
 */
const ROUNDS = Number(process.env["KELP_TEST_CRASH_ROUNDS"] ?? 50);
const STATE = process.env["KELP_TEST_CRASH_STATE"];
const WRITERS = 64;
const BUCKET = "crash-bucket";
const COMPARE_ALL_EVERY = 10;
const RUN_EVERY = 10;
/** Far above what a restart takes: a start that reads all it holds would show. */
const RESTART_MS_MAX = 10_000;
const RUN_SPEC: unknown = Bun.YAML.parse(
  readFileSync(join(import.meta.dirname, "fixtures", "shell-loop.yaml"), "utf8"),
);

test(
  `${ROUNDS} rounds of kill -9 under ${WRITERS} writers lose nothing that was acknowledged`,
  async () => {
    const folder = STATE ?? mkdtempSync(join(tmpdir(), "kelp-crash-"));
    const dir = join(folder, "data");
    const ledger = CrashLedger.open(join(folder, "ledger.json"));
    const runs: string[] = [];
    for (; ledger.round < ROUNDS; ledger.round += 1) {
      const { round } = ledger;
      const server = await start(dir);
      if (round === 0) await createBucket(server);
      const isAll = round % COMPARE_ALL_EVERY === 0;
      const newest = `latest/,round-${round - 1}/`;
      await verify(server, ledger, isAll ? "" : newest, isAll ? "list" : "read");
      if (round % RUN_EVERY === 0) runs.push(await submitRun(server, `round ${round}`, RUN_SPEC));
      await writeUntilKilled(server, ledger);
      ledger.save();
    }
    await using server = await start(dir);
    await verify(server, ledger, "", "read");
    const states = await Promise.all(runs.map((run) => waitForRun(server, run)));
    expect(states).toEqual(runs.map(() => "SUCCEEDED"));
    expect(await server.stop()).toBe(0);
    const fsck = await runProgram(KELP, ["fsck", "--dir", dir, "--json"]);
    const report: FsckReport = JSON.parse(fsck.stdout);
    expect(report.findings.filter((finding) => !finding.isHarmless)).toEqual([]);
    expect({ status: fsck.status, damageCount: report.damageCount }).toEqual({
      status: 0,
      damageCount: 0,
    });
    expect(ledger.present.size).toBeGreaterThan(ROUNDS);
    expect(ledger.gone.size).toBeGreaterThan(0);
    if (STATE === undefined) rmSync(folder, { recursive: true });
  },
  120_000 + ROUNDS * 20_000,
);

async function start(dir: string): Promise<KelpServer> {
  const before = performance.now();
  const server = await KelpServer.start({ dir });
  expect(performance.now() - before).toBeLessThan(RESTART_MS_MAX);
  return server;
}

interface FsckReport {
  readonly damageCount: number;
  readonly findings: readonly { readonly isHarmless: boolean; readonly text: string }[];
}

async function createBucket(server: KelpServer): Promise<void> {
  const response = await fetch(`${server.consoleUrl}/api/v1/buckets`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${server.credentials.console_token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ name: BUCKET }),
  });
  expect(response.ok).toBe(true);
}

/** Lets a process of writers work until the server is killed at a random moment, and takes in what was acknowledged. */
async function writeUntilKilled(server: KelpServer, ledger: CrashLedger): Promise<void> {
  const script = join(import.meta.dirname, "harness", "crash-writers.ts");
  const writers = spawn(
    process.execPath,
    [script, server.s3Url, BUCKET, `${ledger.round}`, `${WRITERS}`],
    {
      env: { ...process.env, ...server.clientEnvironment },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const lines = createInterface({ input: writers.stdout });
  let killing: Promise<void> | undefined;
  for await (const line of lines) {
    killing ??= killSoon(server);
    ledger.take(line);
  }
  await killing;
}

async function killSoon(server: KelpServer): Promise<void> {
  await Bun.sleep(randomInt(1, 500));
  await server.kill();
}

/** Lists what begins with one of the prefixes, and reads it unless it is only to be listed. */
async function verify(
  server: KelpServer,
  ledger: CrashLedger,
  prefixes: string,
  mode: "read" | "list",
): Promise<void> {
  const script = join(import.meta.dirname, "harness", "crash-reader.ts");
  const reader = await runProgram(
    process.execPath,
    [script, server.s3Url, BUCKET, prefixes, mode],
    {
      env: server.clientEnvironment,
    },
  );
  if (reader.status !== 0) {
    throw new Error(`the reader failed: ${reader.stderr}\nThe server said: ${server.output}`);
  }
  expect(ledger.compare(reader.stdout.split("\n"), prefixes.split(","))).toEqual({
    lost: [],
    foreign: [],
    wentBack: [],
    cameBack: [],
  });
}
