import { type Measurement, quantiles } from "../load.ts";
import { processCpuUs, processMemory } from "../process-stat.ts";
import { startServer } from "../server-process.ts";
import { RequestSigner } from "../signed-request.ts";
import { ask } from "./s3.ts";

/**
 * Starts a server on `dir` again and again, each time to its first answer. Its memory is the most that it had at that moment, or,
 * with `restMs`, what the last one has so long after it.
 */
export async function serverStarts(
  name: string,
  dir: string,
  { starts, restMs }: { readonly starts: number; readonly restMs?: number },
): Promise<Measurement> {
  const latencies = new Float64Array(starts);
  let cpuUs = 0;
  let rssBytes = 0;
  for (let index = 0; index < starts; index++) {
    const startedMs = performance.now();
    await using server = await startServer(dir);
    const signer = new RequestSigner(server.credentials, server.s3Port);
    await ask(server, signer.sign({ method: "GET", path: "/" }));
    latencies[index] = performance.now() - startedMs;
    cpuUs += processCpuUs(server.pid);
    if (restMs === undefined) {
      rssBytes = Math.max(rssBytes, processMemory(server.pid).rssBytes);
    } else if (index === starts - 1) {
      await Bun.sleep(restMs);
      rssBytes = processMemory(server.pid).rssBytes;
    }
  }
  const totalMs = latencies.reduce((sum, value) => sum + value, 0);
  return {
    name,
    clients: 1,
    operations: starts,
    ratePerSec: (starts * 1000) / totalMs,
    ...quantiles(latencies),
    serverCpuUsPerOperation: cpuUs / starts,
    serverRssBytes: rssBytes,
  };
}
