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
const WINDOW_MS = 1500;
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
 * whatever else the machine does falls on both, and a busy window counts only when the job ran from before it until after it.
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

/** Rounds of quiet windows and of windows under the job; both as lines, with how they compare. */
async function compare(
  bench: Bench,
  of: { readonly job: Job; readonly volume: FilledVolume; readonly rounds: number },
): Promise<Measurement[]> {
  const { job, volume, rounds } = of;
  const alone = new RunningJob(askJob(bench.server, volume.id, job));
  const aloneMs = await alone.end();
  const quiet = LOADS.map((): Window[] => []);
  const busy = LOADS.map((): Window[] => []);
  const jobMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (job === "encode") await askJob(bench.server, volume.id, "decode");
    for (const [at, load] of LOADS.entries()) quiet[at]?.push(await bench.window(load));
    let left = LOADS.map((load, at) => ({ load, at }));
    while (left.length > 0) {
      const running = new RunningJob(askJob(bench.server, volume.id, job));
      await Promise.race([running.end(), Bun.sleep(HEAD_START_MS)]);
      for (const { load, at } of left) {
        const window = await bench.window(load);
        // It may have ended within the window: then it is taken again, under the next run of the job.
        if (!running.isRunning) break;
        busy[at]?.push(window);
        left = left.slice(1);
      }
      jobMs.push(await running.end());
      if (job === "encode" && left.length > 0) await askJob(bench.server, volume.id, "decode");
    }
  }
  const memory = processMemory(bench.server.pid).rssBytes;
  const lines = LOADS.flatMap((load, at) => {
    const before = lineOf(`${load.name}, quiet before ${job}`, load, quiet[at] ?? [], memory);
    const during = lineOf("", load, busy[at] ?? [], memory);
    const ratio = (during.latencyMsP99 / before.latencyMsP99).toFixed(2);
    return [before, { ...during, name: `${load.name} during ${job}: p99 × ${ratio}` }];
  });
  const speed = (elapsedMs: number): number => volume.sizeBytes / 1_000_000 / (elapsedMs / 1000);
  const duration = (name: string, durations: readonly number[]): Measurement => ({
    name,
    clients: 0,
    operations: durations.length,
    ratePerSec: 0,
    ...quantiles(Float64Array.from(durations)),
    serverCpuUsPerOperation: 0,
    serverRssBytes: memory,
    throughputMbPerSec: speed(quantiles(Float64Array.from(durations)).latencyMsP50),
  });
  return [
    ...lines,
    duration(`${job} of the volume, nobody else`, [aloneMs]),
    duration(`${job} of the volume, under these loads`, jobMs),
  ];
}

function lineOf(
  name: string,
  { clients }: Load,
  windows: readonly Window[],
  serverRssBytes: number,
): Measurement {
  const latencies = Float64Array.from(windows.flatMap(({ latenciesMs }) => [...latenciesMs]));
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
