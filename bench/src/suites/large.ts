import { createHash, randomBytes } from "node:crypto";
import { Connection } from "../connection.ts";
import { type Measurement, quantiles } from "../load.ts";
import { processCpuUs, processMemory } from "../process-stat.ts";
import { benchFolder, startServer } from "../server-process.ts";
import type { Target } from "../target.ts";
import { RequestSigner } from "../signed-request.ts";
import { ask } from "./s3.ts";

const PART_BYTES = 1024 * 1024;
const PART_COUNT = 64;
const ROUNDS = 8;

/** Objects of 64 MiB: their content passes through, it is not gathered. */
export async function largeSuite(): Promise<Measurement[]> {
  using folder = benchFolder();
  await using server = await startServer(`${folder.path}/data`);
  const signer = new RequestSigner(server.credentials, server.s3Port);
  await ask(server, signer.sign({ method: "PUT", path: "/bench", body: Buffer.alloc(0) }));
  return await largeBodies(server, signer, "/bench/large");
}

/** One object written and read, again and again, after a round that does not count. */
export async function largeBodies(
  server: Target,
  signer: RequestSigner,
  path: string,
): Promise<Measurement[]> {
  const part = randomBytes(PART_BYTES);
  const hash = createHash("sha256");
  for (let index = 0; index < PART_COUNT; index++) hash.update(part);
  const bodySha256 = hash.digest("hex");

  const put = async (connection: Connection): Promise<number> => {
    const head = signer.head({ method: "PUT", path, bodySha256 }, PART_BYTES * PART_COUNT);
    return (await connection.askInParts(head, part, PART_COUNT)).status;
  };
  const get = async (connection: Connection): Promise<number> => {
    const answer = await connection.ask(signer.sign({ method: "GET", path }));
    return answer.bodyBytes === PART_BYTES * PART_COUNT ? answer.status : 599;
  };
  await rounds(server, "warm", put);
  return [await rounds(server, "PUT 64 MiB", put), await rounds(server, "GET 64 MiB", get)];
}

async function rounds(
  server: Target,
  name: string,
  once: (connection: Connection) => Promise<number>,
): Promise<Measurement> {
  using connection = await Connection.open(server.s3Port);
  const latencies = new Float64Array(ROUNDS);
  const cpuBeforeUs = processCpuUs(server.pid);
  const startedMs = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    const roundStartedMs = performance.now();
    const status = await once(connection);
    latencies[round] = performance.now() - roundStartedMs;
    if (status >= 300) throw new Error(`${name}: the server answered ${status}`);
  }
  const elapsedMs = performance.now() - startedMs;
  return {
    name,
    clients: 1,
    operations: ROUNDS,
    ratePerSec: (ROUNDS * 1000) / elapsedMs,
    ...quantiles(latencies),
    serverCpuUsPerOperation: (processCpuUs(server.pid) - cpuBeforeUs) / ROUNDS,
    serverRssBytes: processMemory(server.pid).peakBytes,
    throughputMbPerSec: (ROUNDS * PART_BYTES * PART_COUNT) / 1_000_000 / (elapsedMs / 1000),
  };
}
