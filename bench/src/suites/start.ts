import { type Measurement, quantiles } from "../load.ts";
import { processCpuUs, processMemory } from "../process-stat.ts";
import { benchFolder, startServer } from "../server-process.ts";
import { RequestSigner } from "../signed-request.ts";
import { fillBucket } from "./list.ts";
import { ask } from "./s3.ts";

const STARTS = 5;
/** Long enough for the start to be over, short enough to wait for. */
const IDLE_MS = 3000;

/** From the start of the process to the first answer, with an empty folder and with 100,000 objects; memory at rest. */
export async function startSuite(): Promise<Measurement[]> {
  using folder = benchFolder();
  const empty = await starts("start to first answer, empty", `${folder.path}/empty`);
  const dir = `${folder.path}/full`;
  {
    await using server = await startServer(dir);
    await fillBucket(server, new RequestSigner(server.credentials, server.s3Port));
  }
  return [empty, await starts("start to first answer, 100k objects", dir)];
}

async function starts(name: string, dir: string): Promise<Measurement> {
  const latencies = new Float64Array(STARTS);
  let cpuUs = 0;
  let rssBytes = 0;
  for (let index = 0; index < STARTS; index++) {
    const startedMs = performance.now();
    await using server = await startServer(dir);
    const signer = new RequestSigner(server.credentials, server.s3Port);
    await ask(server, signer.sign({ method: "GET", path: "/" }));
    latencies[index] = performance.now() - startedMs;
    cpuUs += processCpuUs(server.pid);
    if (index === STARTS - 1) {
      await Bun.sleep(IDLE_MS);
      rssBytes = processMemory(server.pid).rssBytes;
    }
  }
  const totalMs = latencies.reduce((sum, value) => sum + value, 0);
  return {
    name,
    clients: 1,
    operations: STARTS,
    ratePerSec: (STARTS * 1000) / totalMs,
    ...quantiles(latencies),
    serverCpuUsPerOperation: cpuUs / STARTS,
    serverRssBytes: rssBytes,
  };
}
