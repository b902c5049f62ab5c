import { Connection } from "./connection.ts";
import type { Target } from "./target.ts";

/** What clients saw of a server for a while. */
export interface Window {
  readonly latenciesMs: Float64Array;
  readonly elapsedMs: number;
}

export interface WindowLoad {
  readonly clients: number;
  /** Sent in turn, from the first again when all were. */
  readonly requests: readonly Buffer[];
  readonly durationMs: number;
}

/** Puts load on a server for a time, over kept connections that each wait for their answers. */
export async function measureWindow(server: Target, load: WindowLoad): Promise<Window> {
  const { clients, requests, durationMs } = load;
  const connections = await Promise.all(
    Array.from({ length: clients }, () => Connection.open(server.s3Port)),
  );
  const latencies: number[] = [];
  const startedMs = performance.now();
  let next = 0;
  const work = async (connection: Connection): Promise<void> => {
    for (;;) {
      const sentMs = performance.now();
      if (sentMs - startedMs >= durationMs) return;
      const request = requests[next++ % requests.length];
      if (request === undefined) return;
      const answer = await connection.ask(request);
      if (answer.status >= 300) {
        throw new Error(`The server answered ${answer.status}: ${answer.bodyStart.slice(0, 300)}`);
      }
      latencies.push(performance.now() - sentMs);
    }
  };
  await Promise.all(connections.map(work));
  const elapsedMs = performance.now() - startedMs;
  for (const connection of connections) connection[Symbol.dispose]();
  return { latenciesMs: Float64Array.from(latencies), elapsedMs };
}
