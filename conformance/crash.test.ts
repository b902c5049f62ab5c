import { expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientOf, settleUnanswered, verifyObjects } from "./harness/crash-checks.ts";
import { CrashLedger } from "./harness/crash-ledger.ts";
import { CRASH_BUCKET, callConsole, isServerGone, readyFor } from "./harness/crash-moments.ts";
import { type CrashPlan, MOMENTS, planOf } from "./harness/crash-plan.ts";
import { CrashWriters } from "./harness/crash-writers.ts";
import { gatewayPids } from "./harness/gateway-pids.ts";
import { KELP, KelpServer } from "./harness/kelp-server.ts";
import { submitRun, waitForRun } from "./harness/pipelines-client.ts";
import { runProgram } from "./harness/programs.ts";

/**
 * kill -9 during concurrent writers and a running pipeline, in one folder; in most rounds also while an upload is completed, volumes are
 * vacuumed, the bucket is copied, or much is removed, and in some of a gateway or of all processes at once. After each restart the
 * newest round, and now and then all of it, is compared: every acknowledged object is there with its bytes, what was removed stays
 * away, nothing half-written is listed, nothing half-done shows. In the end every byte is read and every run has ended.
 *
 * `KELP_TEST_CRASH_ROUNDS` makes the test longer; with `KELP_TEST_CRASH_STATE`, a folder, it goes on where an earlier
 * run of it stopped. What a round does follows from `KELP_TEST_CRASH_SEED`, random unless given; the timing of processes does not.
 */
const ROUNDS = Number(process.env["KELP_TEST_CRASH_ROUNDS"] ?? 50);
const STATE = process.env["KELP_TEST_CRASH_STATE"];
const SEED = process.env["KELP_TEST_CRASH_SEED"];
const WRITERS = 64;
const COMPARE_ALL_EVERY = 10;
const RUN_EVERY = 10;
const RUNS_WAITED_FOR = 20;
/** Small, so that there are many volumes, full ones among them. */
const VOLUME_MIB = 64;
/** Far above what a restart takes, also on a busy machine: one that hangs would show. */
const RESTART_MS_MAX = 60_000;
/** Between the kill of a gateway and that of the server. */
const GATEWAY_FIRST_MS = 150;
const RUN_SPEC: unknown = Bun.YAML.parse(
  readFileSync(join(import.meta.dirname, "fixtures", "shell-loop.yaml"), "utf8"),
);

test(
  `${ROUNDS} rounds of kill -9 under ${WRITERS} writers lose nothing that was acknowledged`,
  async () => {
    const folder = STATE ?? mkdtempSync(join(tmpdir(), "kelp-crash-"));
    const dir = join(folder, "data");
    endLeftOver(folder);
    const ledger = CrashLedger.open(join(folder, "ledger.json"));
    if (SEED !== undefined) ledger.seed = Number(SEED);
    while (ledger.round < ROUNDS) {
      const plan = planOf(ledger.seed, ledger.round);
      try {
        const before = performance.now();
        await playRound(folder, ledger, plan);
        const roundMs = Math.round(performance.now() - before);
        const passed = { at: new Date().toISOString(), round: ledger.round, roundMs, ...plan };
        appendFileSync(join(folder, "passed.jsonl"), `${JSON.stringify(passed)}\n`);
      } catch (error) {
        const where = `round ${ledger.round} of seed ${ledger.seed} in ${folder}`;
        throw new Error(`${where}, ${JSON.stringify(plan)}: ${String(error)}`, { cause: error });
      }
    }
    await using server = await start(folder, 1);
    await settleUnanswered(server, ledger);
    await verifyObjects(server, ledger, [""], "read");
    const states = await Promise.all(ledger.runs.map((run) => waitForRun(server, run)));
    expect(states).toEqual(ledger.runs.map(() => "SUCCEEDED"));
    expect(await server.stop()).toBe(0);
    const fsck = await runProgram(KELP, ["fsck", "--dir", dir, "--json"]);
    const report: FsckReport = JSON.parse(fsck.stdout);
    expect(report.findings.filter((finding) => !finding.isHarmless)).toEqual([]);
    expect({ status: fsck.status, damageCount: report.damageCount }).toEqual({
      status: 0,
      damageCount: 0,
    });
    expect(ledger.present.size).toBeGreaterThan(0);
    expect(ledger.gone.size).toBeGreaterThan(0);
    // Kills that fall beside every moment would show nothing. Which of the short ones are met is luck in a short run.
    const met = Object.keys(ledger.inside).length;
    if (ROUNDS >= 50) expect(met).toBeGreaterThanOrEqual(MOMENTS.length / 2);
    if (ROUNDS >= 500) expect(met).toBe(MOMENTS.length);
    if (STATE === undefined) rmSync(folder, { recursive: true });
  },
  120_000 + ROUNDS * 20_000,
);

interface FsckReport {
  readonly damageCount: number;
  readonly findings: readonly { readonly isHarmless: boolean; readonly text: string }[];
}

/** Verifies what earlier rounds have left, then writes until the server is killed. */
async function playRound(folder: string, ledger: CrashLedger, plan: CrashPlan): Promise<void> {
  const { round } = ledger;
  await using server = await start(folder, plan.workers);
  if (round === 0) await callConsole(server, "POST", "/buckets", { name: CRASH_BUCKET });
  await settleUnanswered(server, ledger);
  const isAll = round % COMPARE_ALL_EVERY === 0;
  const newest = ["latest/", `round-${round - 1}/`];
  await verifyObjects(server, ledger, isAll ? [""] : newest, isAll ? "list" : "read");
  if (round % RUN_EVERY === 0) {
    const run = await submitRun(server, `round ${round}`, RUN_SPEC);
    ledger.runs = [...ledger.runs, run].slice(-RUNS_WAITED_FOR);
  }
  await writeUntilKilled(server, ledger, plan);
  ledger.round += 1;
  ledger.save();
}

async function start(folder: string, workers: number): Promise<KelpServer> {
  const before = performance.now();
  const server = await KelpServer.start({
    dir: join(folder, "data"),
    flags: ["--volume.sizeLimitMB", String(VOLUME_MIB), "--workers", String(workers)],
  });
  writeFileSync(join(folder, "server.pid"), String(server.pid));
  expect(performance.now() - before).toBeLessThan(RESTART_MS_MAX);
  return server;
}

/** A run of this test that was itself killed has left its server. */
function endLeftOver(folder: string): void {
  const file = join(folder, "server.pid");
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8"));
  const command = `/proc/${pid}/cmdline`;
  if (existsSync(command) && readFileSync(command, "utf8").includes(join(folder, "data"))) {
    process.kill(pid, "SIGKILL");
  }
}

/** Lets writers work, begins what the plan wants, and kills the server soon after. */
async function writeUntilKilled(
  server: KelpServer,
  ledger: CrashLedger,
  plan: CrashPlan,
): Promise<void> {
  // Before the writers, beside whom its parts would take long.
  const begin = await readyFor(plan.moment, server, ledger);
  const over = new AbortController();
  const client = clientOf(server, CRASH_BUCKET);
  const writers = new CrashWriters({ client, ledger, count: WRITERS, over: over.signal });
  await Promise.race([writers.working, writers.ended()]);
  await Bun.sleep(plan.warmUpMs);
  const work = begin === undefined ? undefined : observed(begin());
  await Promise.race([Bun.sleep(plan.delayMs), writers.ended()]);
  const isInside = work === undefined ? plan.moment === "writing" : work.isRunning();
  await kill(server, plan, over);
  if (isInside) ledger.inside[plan.moment] = (ledger.inside[plan.moment] ?? 0) + 1;
  await writers.ended();
  await work?.ended;
}

/** Work that may fail by the end of the server, and by nothing else. */
function observed(work: Promise<void>): {
  readonly isRunning: () => boolean;
  readonly ended: Promise<void>;
} {
  let isRunning = true;
  const end = async (): Promise<void> => {
    try {
      await work;
    } catch (error) {
      if (!isServerGone(error)) throw error;
    } finally {
      isRunning = false;
    }
  };
  return { isRunning: () => isRunning, ended: end() };
}

async function kill(server: KelpServer, plan: CrashPlan, over: AbortController): Promise<void> {
  const gateways = gatewayPids(server.pid);
  if (plan.victim === "gateway" && gateways[0] !== undefined) {
    process.kill(gateways[0], "SIGKILL");
    await Bun.sleep(GATEWAY_FIRST_MS);
  }
  over.abort();
  if (plan.victim === "group") for (const pid of gateways) process.kill(pid, "SIGKILL");
  await server.kill();
}
