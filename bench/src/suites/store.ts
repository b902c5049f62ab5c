import { createHash, randomBytes } from "node:crypto";
import { type Measurement, measure } from "../load.ts";
import type { SuiteOptions } from "../options.ts";
import { processMemory } from "../process-stat.ts";
import { benchFolder, startServer } from "../server-process.ts";
import { RequestSigner } from "../signed-request.ts";
import type { Target } from "../target.ts";
import { largeBodies } from "./large.ts";
import { fillBucket, listAll } from "./list.ts";
import { ask } from "./s3.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** Of each kind of small request before anything is measured, */
const WARM_UP_COUNT = 15_000;
/** and of bodies of 1 MiB. */
const LARGE_WARM_UP_COUNT = 300;
const LARGE_COUNT = 400;
const CREATES_PER_SLICE = 50_000;

/**
 * The store under every kind of load, fully signed, each write durable before its answer, then the same loads on each
 * peer that was named. Memory is read fresh and at the end; the server is then stopped and started again on what it holds.
 */
export async function storeSuite(options: SuiteOptions): Promise<Measurement[]> {
  using folder = benchFolder();
  const dir = `${folder.path}/data`;
  const results: Measurement[] = [hashesAlone()];
  {
    const server = await startServer(dir);
    results.push(memoryLine("fresh", server));
    results.push(...(await loads(server, options)));
    const stopStartedMs = performance.now();
    await server.stop();
    results.push(momentLine("SIGTERM to exit", performance.now() - stopStartedMs));
  }
  {
    await using server = await startServer(dir);
    results.push(momentLine("restart to first answer, on all that", server.startMs));
  }
  for (const peer of options.peers) {
    try {
      const lines = await loads(peer, options);
      results.push(...lines.map((line) => compared(line, results, peer.name)));
    } catch (error) {
      // What was measured of the others stands.
      process.stderr.write(`${peer.name} did not bear the loads: ${String(error)}\n`);
    }
  }
  return results;
}

async function loads(target: Target, options: SuiteOptions): Promise<Measurement[]> {
  const signer = new RequestSigner(target.credentials, target.s3Port);
  await ask(target, signer.sign({ method: "PUT", path: "/bench-store", body: Buffer.alloc(0) }));
  const run = (name: string, clients: number, requests: readonly Buffer[]): Promise<Measurement> =>
    measure(target, { name, clients, requests });
  const make = (
    method: "GET" | "HEAD" | "PUT" | "DELETE",
    prefix: string,
    count: number,
    body?: () => Buffer,
  ): Buffer[] =>
    Array.from({ length: count }, (_, index) =>
      signer.sign({
        method,
        path: `/bench-store/${prefix}/${index}`,
        ...(body === undefined ? {} : { body: body() }),
      }),
    );
  const small = (): Buffer => randomBytes(4 * KIB);
  const large = randomBytes(MIB);
  // Until then the machine code of the server is still being made, which is nobody's everyday.
  await run("warm", 16, make("PUT", "warm", WARM_UP_COUNT, small));
  for (const method of ["GET", "HEAD", "DELETE"] as const) {
    await run("warm", 16, make(method, "warm", WARM_UP_COUNT));
  }
  for (const method of ["PUT", "GET", "DELETE"] as const) {
    const body = method === "PUT" ? () => large : undefined;
    await run("warm", 4, make(method, "warm-mib", LARGE_WARM_UP_COUNT, body));
  }
  const lines = [
    await run("PUT 4 KiB", 64, make("PUT", "c64", 40_000, small)),
    await run("GET 4 KiB", 64, make("GET", "c64", 40_000)),
    await run("PUT 4 KiB", 16, make("PUT", "c16", 20_000, small)),
    await run("GET 4 KiB", 16, make("GET", "c16", 20_000)),
    await run("PUT 4 KiB", 1, make("PUT", "c1", 3000, small)),
    await run("GET 4 KiB", 1, make("GET", "c1", 3000)),
    await run("HEAD", 16, make("HEAD", "c16", 20_000)),
    await run("DELETE", 16, make("DELETE", "c16", 20_000)),
    await run(
      "PUT 1 MiB",
      4,
      make("PUT", "mib", LARGE_COUNT, () => large),
    ),
    await run("GET 1 MiB", 4, make("GET", "mib", LARGE_COUNT)),
    ...(await largeBodies(target, signer, "/bench-store/large")),
    ...(await creates(target, signer, options.creates)),
  ];
  await fillBucket(target, signer);
  lines.push(await listAll(target, signer, "LIST 100,000 keys by 1,000 (per key)", ""));
  lines.push(memoryLine("after all that", target));
  return lines;
}

/** Requests are signed slice by slice, between the measurements, so that the client is not what is measured. */
async function creates(
  target: Target,
  signer: RequestSigner,
  count: number,
): Promise<Measurement[]> {
  const slices: Measurement[] = [];
  for (let start = 0; start < count; start += CREATES_PER_SLICE) {
    const requests = Array.from(
      { length: Math.min(CREATES_PER_SLICE, count - start) },
      (_, index) =>
        signer.sign({
          method: "PUT",
          path: `/bench-store/created/${start + index}`,
          body: randomBytes(KIB),
        }),
    );
    slices.push(await measure(target, { name: "create", clients: 64, requests }));
  }
  const first = slices[0];
  const last = slices.at(-1);
  if (first === undefined || last === undefined) return [];
  const seconds = slices.reduce((sum, slice) => sum + slice.operations / slice.ratePerSec, 0);
  const weighted = (value: (slice: Measurement) => number): number =>
    slices.reduce((sum, slice) => sum + value(slice) * slice.operations, 0) / count;
  return [
    {
      ...last,
      name: `${count.toLocaleString("en-US")} × 1 KiB creates`,
      operations: count,
      ratePerSec: count / seconds,
      latencyMsP50: weighted((slice) => slice.latencyMsP50),
      latencyMsP99: weighted((slice) => slice.latencyMsP99),
      latencyMsMax: Math.max(...slices.map((slice) => slice.latencyMsMax ?? 0)),
      serverCpuUsPerOperation: weighted((slice) => slice.serverCpuUsPerOperation),
    },
  ];
}

/** What nobody can go below: both hashes of the same bytes, one after another on one thread. */
function hashesAlone(): Measurement {
  const bytes = randomBytes(MIB);
  const rounds = 100;
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    createHash("md5").update(bytes).digest();
    createHash("sha256").update(bytes).digest();
  }
  const used = process.cpuUsage(before);
  const cpuUs = (used.user + used.system) / rounds;
  return {
    ...momentLine("MD5 and SHA-256 of 1 MiB alone", cpuUs / 1000),
    serverCpuUsPerOperation: cpuUs,
  };
}

function memoryLine(when: string, target: Target): Measurement {
  const { rssBytes } = processMemory(target.pid);
  return {
    ...momentLine(`memory ${when}`, 0),
    operations: 0,
    ratePerSec: 0,
    serverRssBytes: rssBytes,
  };
}

function momentLine(name: string, elapsedMs: number): Measurement {
  return {
    name,
    clients: 1,
    operations: 1,
    ratePerSec: elapsedMs === 0 ? 0 : 1000 / elapsedMs,
    latencyMsP50: elapsedMs,
    latencyMsP99: elapsedMs,
    latencyMsMax: elapsedMs,
    serverCpuUsPerOperation: 0,
    serverRssBytes: 0,
  };
}

function compared(line: Measurement, own: readonly Measurement[], peer: string): Measurement {
  const ours = own.find(({ name, clients }) => name === line.name && clients === line.clients);
  const ratio =
    ours === undefined || ours.serverCpuUsPerOperation === 0
      ? ""
      : ` (${(line.serverCpuUsPerOperation / ours.serverCpuUsPerOperation).toFixed(1)} × Kelp's CPU)`;
  return { ...line, name: `${peer}: ${line.name}${ratio}` };
}
