import { must } from "@kelp/base";
import { type Measurement, measure, quantiles } from "../load.ts";
import type { SuiteOptions } from "../options.ts";
import { processMemory } from "../process-stat.ts";
import { type ServerProcess, benchFolder, startServer } from "../server-process.ts";
import { RequestSigner } from "../signed-request.ts";
import { type FilledVolume, RunningJob, askJob, fillVolume } from "../volume-jobs.ts";
import { type Window, measureWindow } from "../window.ts";
import { ask, gets, puts } from "./s3.ts";

const VOLUME_BYTES = 384 * 1024 * 1024;
const KEYS = 4000;
const WINDOW_MS = 1000;
/** From asking for a job to the first window: the request has arrived and the job is at work. */
const HEAD_START_MS = 200;
/** Nothing but the jobs that are asked for. */
const FLAGS = ["--volume.scrubDays", "0", "--volume.garbageThreshold", "1"];

const LOADS = [
  { name: "GET 4 KiB", clients: 16, method: "GET" },
  { name: "PUT 4 KiB", clients: 16, method: "PUT" },
  { name: "GET 4 KiB", clients: 1, method: "GET" },
  { name: "PUT 4 KiB", clients: 1, method: "PUT" },
] as const;
type Load = (typeof LOADS)[number];

const JOBS = ["vacuum", "scrub", "encode"] as const;
type Job = (typeof JOBS)[number];

/**
 * What clients see of small objects while a volume is vacuumed, scrubbed, encoded. Quiet and busy windows take turns, so that
 * whatever else the machine does falls on both, and the ratio is the median of those of the rounds. A busy window counts only when the
 * job ran from before it until after it.
 */
export async function jobsSuite(options: SuiteOptions): Promise<Measurement[]> {
  using folder = benchFolder();
  await using server = await startServer(`${folder.path}/data`, FLAGS);
  const signer = new RequestSigner(server.credentials, server.s3Port);
  await ask(server, signer.sign({ method: "PUT", path: "/bench", body: Buffer.alloc(0) }));
  const requests = { PUT: puts(signer, "jobs", KEYS), GET: gets(signer, "jobs", KEYS) };
  const bench: Bench = {
    server,
    window: ({ clients, method }) =>
      measureWindow(server, { clients, requests: requests[method], durationMs: WINDOW_MS }),
  };
  // All objects are there before any is read; and the first requests of a process are its slowest.
  for (const method of ["PUT", "PUT", "GET", "GET"] as const) {
    await measure(server, { name: "warm", clients: 16, requests: requests[method] });
  }
  const results: Measurement[] = [];
  for (const job of JOBS.filter((each) => options.jobs.includes(each))) {
    const volume = await fillVolume(server, `jobs-${job}`, VOLUME_BYTES);
    if (job === "encode") await askJob(server, volume.id, "state", { state: "read-only" });
    results.push(...(await compare(bench, { job, volume, rounds: options.rounds })));
  }
  return results;
}

interface Bench {
  readonly server: ServerProcess;
  readonly window: (load: Load) => Promise<Window>;
}

/** Rounds of windows under the job, each between two of quiet ones; both as lines, with how they compare. */
async function compare(
  bench: Bench,
  of: { readonly job: Job; readonly volume: FilledVolume; readonly rounds: number },
): Promise<Measurement[]> {
  const { job, volume, rounds } = of;
  const alone = new RunningJob(askJob(bench.server, volume.id, job));
  const aloneMs = await alone.end();
  const quiet = [await quietWindows(bench)];
  const busy: Window[][] = [];
  const jobMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    busy.push(await busyWindows(bench, of, jobMs));
    quiet.push(await quietWindows(bench));
  }
  const memory = processMemory(bench.server.pid).rssBytes;
  const lines = LOADS.flatMap((load, at) => {
    const during = busy.map((windows) => must(windows[at]));
    const around = quiet.map((windows) => must(windows[at]));
    const ratios = during
      .map((window, round) => p99([window]) / p99(around.slice(round, round + 2)))
      .sort((left, right) => left - right);
    const ratio = (share: number): string =>
      must(ratios[Math.round((ratios.length - 1) * share)]).toFixed(2);
    const name = `${load.name} during ${job}: p99 × ${ratio(0.5)} (${ratio(0)} to ${ratio(1)})`;
    return [
      lineOf(`${load.name}, quiet`, load, around, memory),
      lineOf(name, load, during, memory),
    ];
  });
  return [
    ...lines,
    durationLine(`${job} of the volume, nobody else`, { volume, memory, durations: [aloneMs] }),
    durationLine(`${job} of the volume, with these loads in a part of it`, {
      volume,
      memory,
      durations: jobMs,
    }),
  ];
}

async function quietWindows({ window }: Bench): Promise<Window[]> {
  const windows: Window[] = [];
  for (const load of LOADS) windows.push(await window(load));
  return windows;
}

/** One window of each load, all of it within a run of the job. Adds how long whole runs took. */
async function busyWindows(
  { server, window }: Bench,
  { job, volume }: { readonly job: Job; readonly volume: FilledVolume },
  jobMs: number[],
): Promise<Window[]> {
  const windows: Window[] = [];
  while (windows.length < LOADS.length) {
    if (job === "encode") await askJob(server, volume.id, "decode");
    const running = new RunningJob(askJob(server, volume.id, job));
    await Promise.race([running.end(), Bun.sleep(HEAD_START_MS)]);
    for (const load of LOADS.slice(windows.length)) {
      const taken = await window(load);
      // It may have ended within the window: then that is taken again, under the next run.
      if (!running.isRunning) break;
      windows.push(taken);
    }
    jobMs.push(await running.end());
  }
  return windows;
}

function durationLine(
  name: string,
  of: {
    readonly volume: FilledVolume;
    readonly memory: number;
    readonly durations: readonly number[];
  },
): Measurement {
  const figures = quantiles(Float64Array.from(of.durations));
  return {
    name,
    clients: 0,
    operations: of.durations.length,
    ratePerSec: 1000 / figures.latencyMsP50,
    ...figures,
    serverCpuUsPerOperation: 0,
    serverRssBytes: of.memory,
    throughputMbPerSec: of.volume.sizeBytes / 1000 / figures.latencyMsP50,
  };
}

function p99(windows: readonly Window[]): number {
  return quantiles(latenciesOf(windows)).latencyMsP99;
}

function latenciesOf(windows: readonly Window[]): Float64Array {
  return Float64Array.from(windows.flatMap(({ latenciesMs }) => [...latenciesMs]));
}

function lineOf(
  name: string,
  { clients }: Load,
  windows: readonly Window[],
  serverRssBytes: number,
): Measurement {
  const latencies = latenciesOf(windows);
  const elapsedMs = windows.reduce((sum, window) => sum + window.elapsedMs, 0);
  return {
    name,
    clients,
    operations: latencies.length,
    ratePerSec: (latencies.length * 1000) / elapsedMs,
    ...quantiles(latencies),
    serverCpuUsPerOperation: 0,
    serverRssBytes,
  };
}
