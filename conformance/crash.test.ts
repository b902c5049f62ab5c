import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { KELP, KelpServer } from "./harness/kelp-server.ts";
import { submitRun, waitForRun } from "./harness/pipelines-client.ts";
import { runProgram } from "./harness/programs.ts";

/**
 * kill -9 during concurrent writers and a running pipeline. After each restart every acknowledged object is there with
 * its bytes, nothing half-written is listed, and in the end every run has ended.
 */
const ROUNDS = 20;
const WRITERS = 32;
const BUCKET = "crash-bucket";
const RUN_SPEC: unknown = Bun.YAML.parse(
  readFileSync(join(import.meta.dirname, "fixtures", "shell-loop.yaml"), "utf8"),
);

test(
  `${ROUNDS} rounds of kill -9 under ${WRITERS} writers lose nothing that was acknowledged`,
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "kelp-crash-"));
    const acknowledged = new Set<string>();
    const lastCounter = new Map<string, number>();
    const runs: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const server = await KelpServer.start({ dir });
      if (round === 0) await createBucket(server);
      await verify(server, acknowledged, lastCounter, round - 1);
      runs.push(await submitRun(server, `round ${round}`, RUN_SPEC));
      await writeUntilKilled(server, round, acknowledged, lastCounter);
    }
    await using server = await KelpServer.start({ dir });
    await verify(server, acknowledged, lastCounter);
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
    expect(acknowledged.size).toBeGreaterThan(ROUNDS * WRITERS);
    rmSync(dir, { recursive: true });
  },
  15 * 60_000,
);

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
async function writeUntilKilled(
  server: KelpServer,
  round: number,
  acknowledged: Set<string>,
  lastCounter: Map<string, number>,
): Promise<void> {
  const script = join(import.meta.dirname, "harness", "crash-writers.ts");
  const writers = spawn(
    process.execPath,
    [script, server.s3Url, BUCKET, `${round}`, `${WRITERS}`],
    {
      env: { ...process.env, ...server.clientEnvironment },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const lines = createInterface({ input: writers.stdout });
  let killing: Promise<void> | undefined;
  for await (const line of lines) {
    killing ??= killSoon(server);
    const [kind, key = "", counter] = line.split(" ");
    if (kind === "object") acknowledged.add(key);
    else lastCounter.set(key, Number(counter));
  }
  await killing;
}

async function killSoon(server: KelpServer): Promise<void> {
  await Bun.sleep(randomInt(50, 500));
  await server.kill();
}

/** Every name is compared each time; every byte of the newest round, and of all rounds in the end. */
async function verify(
  server: KelpServer,
  acknowledged: ReadonlySet<string>,
  lastCounter: ReadonlyMap<string, number>,
  newestRound?: number,
): Promise<void> {
  const prefixes = newestRound === undefined ? "" : `latest/,round-${newestRound}/`;
  const script = join(import.meta.dirname, "harness", "crash-reader.ts");
  const reader = await runProgram(process.execPath, [script, server.s3Url, BUCKET, prefixes], {
    env: server.clientEnvironment,
  });
  if (reader.status !== 0) {
    throw new Error(`the reader failed: ${reader.stderr}\nThe server said: ${server.output}`);
  }
  const listed = new Set<string>();
  const foreign: string[] = [];
  const wentBack: string[] = [];
  for (const line of reader.stdout.split("\n")) {
    const [kind, key = "", counter] = line.split(" ");
    if (kind === "listed") listed.add(key);
    if (kind === "foreign") foreign.push(key);
    if (kind === "latest" && Number(counter) < (lastCounter.get(key) ?? 0)) wentBack.push(key);
  }
  const lost = [...acknowledged, ...lastCounter.keys()].filter((key) => !listed.has(key));
  expect({ lost, foreign, wentBack }).toEqual({ lost: [], foreign: [], wentBack: [] });
}
