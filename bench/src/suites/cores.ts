import { type Measurement, measure } from "../load.ts";
import { childrenOf, pin } from "../pinned.ts";
import { ownCpuUs, processCpuUs } from "../process-stat.ts";
import { type ServerProcess, benchFolder, startServer } from "../server-process.ts";
import { RequestSigner } from "../signed-request.ts";
import { ask, gets, puts } from "./s3.ts";

const CLIENTS = [16, 64] as const;
const OPERATIONS = 12_000;
/** Of each process that serves the door: until then its compiler has as much to do as its requests. */
const WARM_UP_OPERATIONS = 12_000;

/** Who runs where, on two processors; the load always runs on the second. */
interface Arrangement {
  readonly name: string;
  /** Processors of the server, which writes metadata, and of its gateways. */
  readonly server: number;
  readonly gateways: number;
}

/** The whole on the first: as a machine has it where every processor has one process, and the load is elsewhere. */
const TOGETHER: Arrangement = { name: "on one processor", server: 0, gateways: 0 };
/** The writer has a processor for itself. */
const APART: Arrangement = { name: "writer apart", server: 0, gateways: 1 };

/**
 * Small objects with the S3 door in one process and in several, each held to a processor: processor time of each operation, and which
 * part of it falls to the one process that writes metadata. That part is what does not grow with cores.
 */
export async function coresSuite(): Promise<Measurement[]> {
  pin(process.pid, 1);
  const results: Measurement[] = [];
  for (const workers of [1, 2]) {
    using folder = benchFolder();
    await using server = await startServer(`${folder.path}/data`, ["--workers", `${workers}`]);
    const signer = new RequestSigner(server.credentials, server.s3Port);
    await ask(server, signer.sign({ method: "PUT", path: "/bench", body: Buffer.alloc(0) }));
    const warmUp = WARM_UP_OPERATIONS * workers;
    await measure(server, { name: "warm", clients: 64, requests: puts(signer, "warm", warmUp) });
    await measure(server, { name: "warm", clients: 64, requests: gets(signer, "warm", warmUp) });
    for (const arrangement of workers === 1 ? [TOGETHER] : [TOGETHER, APART]) {
      arrange(server, arrangement);
      for (const clients of CLIENTS) {
        const prefix = `${arrangement.server}${arrangement.gateways}-${clients}`;
        for (const [name, requests] of [
          ["PUT 4 KiB", puts(signer, prefix, OPERATIONS)],
          ["GET 4 KiB", gets(signer, prefix, OPERATIONS)],
        ] as const) {
          const whole = `${name}, --workers ${workers}, ${arrangement.name}`;
          results.push(...(await split(server, { name: whole, clients, requests }, workers)));
        }
      }
    }
  }
  return results;
}

function arrange(server: ServerProcess, arrangement: Arrangement): void {
  pin(server.pid, arrangement.server);
  for (const pid of childrenOf(server.pid)) pin(pid, arrangement.gateways);
}

/** The whole; with gateways, also what of its processor time falls to them and to the writer. */
async function split(
  server: ServerProcess,
  load: Parameters<typeof measure>[1],
  workers: number,
): Promise<Measurement[]> {
  const before = cpuParts(server.pid);
  const whole = await measure(server, load);
  const after = cpuParts(server.pid);
  if (workers === 1) return [whole];
  const part = (name: string, cpuUs: number): Measurement => ({
    ...whole,
    name: `${load.name}: ${name}`,
    serverCpuUsPerOperation: cpuUs / whole.operations,
  });
  return [
    whole,
    part("gateways", after.othersUs - before.othersUs),
    part("writer", after.ownUs - before.ownUs),
  ];
}

function cpuParts(pid: number): { readonly ownUs: number; readonly othersUs: number } {
  const ownUs = ownCpuUs(pid);
  return { ownUs, othersUs: processCpuUs(pid) - ownUs };
}
