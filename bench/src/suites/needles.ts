import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Measurement, measure, quantiles } from "../load.ts";
import { writeManyNeedles } from "../many-needles.ts";
import { benchFolder, startServer } from "../server-process.ts";
import { RequestSigner } from "../signed-request.ts";
import { ask, gets, puts } from "./s3.ts";
import { serverStarts } from "./server-starts.ts";

const PROCESS = join(import.meta.dirname, "../needle-process.ts");
const CALLS = 100_000;
const MANY = [1_000_000, 10_000_000];
const STARTS = 3;
const LOAD_REQUESTS = 20_000;

interface Calls {
  readonly latenciesMs: readonly number[];
  readonly elapsedMs: number;
  readonly cpuUs: number;
}

interface Opening {
  readonly firstAnswerMs: number;
  readonly rssBytes: number;
  readonly reads: number;
  readonly readsMs: number;
  readonly readsCpuUs: number;
  readonly rssAfterBytes: number;
}

/** The volume engine alone, in a process: needles of 1 KiB; then opening millions of them, alone and in a whole server. */
export async function needlesSuite(): Promise<Measurement[]> {
  using folder = benchFolder();
  const results: Measurement[] = [];
  for (const clients of [16, 64]) results.push(calls("append", `${folder.path}/calls`, clients));
  for (const clients of [16, 64]) results.push(calls("read", `${folder.path}/calls`, clients));
  for (const count of MANY) {
    const dir = `${folder.path}/${count}`;
    const millions = `${count / 1_000_000} million needles`;
    writeManyNeedles(`${dir}/volumes`, count);
    const openings = [
      [`open ${millions}, index files alone`, 1],
      [`open ${millions}, checkpoints`, STARTS],
    ] as const;
    for (const [name, times] of openings) {
      const runs = Array.from({ length: times }, () =>
        run("open", `${dir}/volumes`, String(count)),
      ) as Opening[];
      results.push(opened(name, runs), randomReads(`random read of ${millions}`, runs));
    }
    results.push(
      await serverStarts(`server start to first answer, ${millions}`, dir, { starts: STARTS }),
    );
    results.push(...(await serverLoad(millions, dir)));
  }
  return results;
}

/** What the process printed: `Calls` or `Opening`, as the job is. */
function run(...words: readonly string[]): unknown {
  const child = spawnSync(process.execPath, ["--no-env-file", PROCESS, ...words], {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.status !== 0) throw new Error(`${words.join(" ")} ended with ${String(child.status)}`);
  return JSON.parse(child.stdout);
}

function calls(job: "append" | "read", folder: string, clients: number): Measurement {
  const { latenciesMs, elapsedMs, cpuUs } = run(
    job,
    folder,
    String(clients),
    String(CALLS),
  ) as Calls;
  return {
    name: `${job} 1 KiB, in the process`,
    clients,
    operations: CALLS,
    ratePerSec: (CALLS * 1000) / elapsedMs,
    ...quantiles(Float64Array.from(latenciesMs)),
    serverCpuUsPerOperation: cpuUs / CALLS,
    serverRssBytes: 0,
  };
}

function opened(name: string, runs: readonly Opening[]): Measurement {
  const latencies = Float64Array.from(runs, (each) => each.firstAnswerMs);
  const totalMs = latencies.reduce((sum, value) => sum + value, 0);
  return {
    name,
    clients: 1,
    operations: runs.length,
    ratePerSec: (runs.length * 1000) / totalMs,
    ...quantiles(latencies),
    serverCpuUsPerOperation: 0,
    serverRssBytes: Math.max(...runs.map((each) => each.rssBytes)),
  };
}

function randomReads(name: string, runs: readonly Opening[]): Measurement {
  const sum = (value: (run: Opening) => number): number =>
    runs.reduce((total, each) => total + value(each), 0);
  const reads = sum((each) => each.reads);
  const totalMs = sum((each) => each.readsMs);
  return {
    name,
    clients: 1,
    operations: reads,
    ratePerSec: (reads * 1000) / totalMs,
    latencyMsP50: totalMs / reads,
    latencyMsP99: totalMs / reads,
    serverCpuUsPerOperation: sum((each) => each.readsCpuUs) / reads,
    serverRssBytes: Math.max(...runs.map((each) => each.rssAfterBytes)),
  };
}

/** What a whole server takes for small objects beside so many needles. */
async function serverLoad(millions: string, dir: string): Promise<Measurement[]> {
  await using server = await startServer(dir);
  const signer = new RequestSigner(server.credentials, server.s3Port);
  await ask(server, signer.sign({ method: "PUT", path: "/bench", body: Buffer.alloc(0) }));
  const load = { clients: 16 } as const;
  return [
    await measure(server, {
      ...load,
      name: `PUT 4 KiB beside ${millions}`,
      requests: puts(signer, "beside", LOAD_REQUESTS),
    }),
    await measure(server, {
      ...load,
      name: `GET 4 KiB beside ${millions}`,
      requests: gets(signer, "beside", LOAD_REQUESTS),
    }),
  ];
}
