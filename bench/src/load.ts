import { Connection } from "./connection.ts";
import { processCpuUs, processMemory } from "./process-stat.ts";
import type { Target } from "./target.ts";

/** One line of the results. */
export interface Measurement {
  readonly name: string;
  readonly clients: number;
  readonly operations: number;
  readonly ratePerSec: number;
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
  readonly latencyMsMax?: number;
  readonly serverCpuUsPerOperation: number;
  readonly serverRssBytes: number;
  /** Of content, where that is what matters. */
  readonly throughputMbPerSec?: number;
}

/** Sends prepared requests over `clients` connections, each waiting for its answer, and measures server and clients. */
export async function measure(
  server: Target,
  options: {
    readonly name: string;
    readonly clients: number;
    readonly requests: readonly Buffer[];
  },
): Promise<Measurement> {
  const { name, clients, requests } = options;
  const connections = await Promise.all(
    Array.from({ length: clients }, () => Connection.open(server.s3Port)),
  );
  const latencies = new Float64Array(requests.length);
  let next = 0;
  const work = async (connection: Connection): Promise<void> => {
    while (next < requests.length) {
      const index = next++;
      const request = requests[index];
      if (request === undefined) return;
      const startedMs = performance.now();
      const answer = await connection.ask(request);
      latencies[index] = performance.now() - startedMs;
      if (answer.status >= 300) {
        throw new Error(
          `${name}: the server answered ${answer.status}: ${answer.bodyStart.slice(0, 300)}`,
        );
      }
    }
  };
  const cpuBeforeUs = processCpuUs(server.pid);
  const startedMs = performance.now();
  await Promise.all(connections.map(work));
  const elapsedMs = performance.now() - startedMs;
  const cpuUs = processCpuUs(server.pid) - cpuBeforeUs;
  for (const connection of connections) connection[Symbol.dispose]();
  return {
    name,
    clients,
    operations: requests.length,
    ratePerSec: (requests.length * 1000) / elapsedMs,
    ...quantiles(latencies),
    serverCpuUsPerOperation: cpuUs / requests.length,
    serverRssBytes: processMemory(server.pid).rssBytes,
  };
}

export function quantiles(latencies: Float64Array): {
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
  readonly latencyMsMax: number;
} {
  const sorted = latencies.toSorted();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { latencyMsP50: at(0.5), latencyMsP99: at(0.99), latencyMsMax: at(1) };
}
