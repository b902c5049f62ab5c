import { Connection } from "../connection.ts";
import { type Measurement, measure, quantiles } from "../load.ts";
import { processCpuUs, processMemory } from "../process-stat.ts";
import { benchFolder, startServer } from "../server-process.ts";
import type { Target } from "../target.ts";
import { RequestSigner } from "../signed-request.ts";
import { ask } from "./s3.ts";

export const KEY_COUNT = 100_000;
const PAGE_KEYS = 1000;
const ROUNDS = 3;
const FILL_CLIENTS = 64;

/** Listing 100,000 keys by 1,000, and the same keys rolled up by a delimiter. Operations are keys. */
export async function listSuite(): Promise<Measurement[]> {
  using folder = benchFolder();
  await using server = await startServer(`${folder.path}/data`);
  const signer = new RequestSigner(server.credentials, server.s3Port);
  await fillBucket(server, signer);
  await listAll(server, signer, "warm", "");
  return [
    await listAll(server, signer, "LIST 100k keys by 1000 (per key)", ""),
    await listAll(
      server,
      signer,
      "LIST with delimiter, 1000 prefixes (per prefix)",
      "delimiter=%2F&",
    ),
  ];
}

/** Keys as data lakes have them: a thousand folders of a hundred. */
export async function fillBucket(server: Target, signer: RequestSigner): Promise<void> {
  await ask(server, signer.sign({ method: "PUT", path: "/bench", body: Buffer.alloc(0) }));
  const body = Buffer.from("x");
  const requests = Array.from({ length: KEY_COUNT }, (_, index) => {
    const group = String(Math.floor(index / 100)).padStart(4, "0");
    return signer.sign({
      method: "PUT",
      path: `/bench/group-${group}/object-${String(index).padStart(6, "0")}.bin`,
      body,
    });
  });
  await measure(server, { name: "fill", clients: FILL_CLIENTS, requests });
}

export async function listAll(
  server: Target,
  signer: RequestSigner,
  name: string,
  filter: string,
): Promise<Measurement> {
  using connection = await Connection.open(server.s3Port);
  const latencies: number[] = [];
  let keys = 0;
  const cpuBeforeUs = processCpuUs(server.pid);
  const startedMs = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    let token = "";
    do {
      const continued = token === "" ? "" : `continuation-token=${encodeURIComponent(token)}&`;
      const request = signer.sign({
        method: "GET",
        path: "/bench",
        query: `${continued}${filter}list-type=2&max-keys=${PAGE_KEYS}`,
      });
      const pageStartedMs = performance.now();
      const { bodyStart, status } = await connection.ask(request);
      latencies.push(performance.now() - pageStartedMs);
      if (status !== 200) throw new Error(`${name}: ${bodyStart.slice(0, 300)}`);
      keys += Number(/<KeyCount>(\d+)</.exec(bodyStart)?.[1] ?? 0);
      token = /<NextContinuationToken>([^<]+)</.exec(bodyStart)?.[1] ?? "";
    } while (token !== "");
  }
  const elapsedMs = performance.now() - startedMs;
  return {
    name,
    clients: 1,
    operations: keys,
    ratePerSec: (keys * 1000) / elapsedMs,
    ...quantiles(Float64Array.from(latencies)),
    serverCpuUsPerOperation: (processCpuUs(server.pid) - cpuBeforeUs) / keys,
    serverRssBytes: processMemory(server.pid).rssBytes,
  };
}
