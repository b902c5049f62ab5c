import { type Measurement, measure } from "../load.ts";
import { ownCpuUs, processCpuUs } from "../process-stat.ts";
import { type ServerProcess, benchFolder, startServer } from "../server-process.ts";
import { RequestSigner } from "../signed-request.ts";
import { ask, gets, puts } from "./s3.ts";

const WORKERS = [1, 2] as const;
const CLIENTS = [16, 64] as const;
const OPERATIONS = 12_000;

/**
 * Small objects with the S3 door in one process and in several: processor time of each operation, and which part of it falls to the one
 * process that writes metadata. That part is what does not grow with cores.
 */
export async function coresSuite(): Promise<Measurement[]> {
  const results: Measurement[] = [];
  for (const workers of WORKERS) {
    using folder = benchFolder();
    await using server = await startServer(`${folder.path}/data`, ["--workers", `${workers}`]);
    const signer = new RequestSigner(server.credentials, server.s3Port);
    await ask(server, signer.sign({ method: "PUT", path: "/bench", body: Buffer.alloc(0) }));
    // Every process is compiled for itself.
    const warmUp = 4000 * workers;
    await measure(server, { name: "warm", clients: 16, requests: puts(signer, "warm", warmUp) });
    await measure(server, { name: "warm", clients: 16, requests: gets(signer, "warm", warmUp) });
    for (const clients of CLIENTS) {
      const prefix = `c${clients}`;
      for (const [name, requests] of [
        ["PUT 4 KiB", puts(signer, prefix, OPERATIONS)],
        ["GET 4 KiB", gets(signer, prefix, OPERATIONS)],
      ] as const) {
        const load = { name: `${name}, --workers ${workers}`, clients, requests };
        results.push(
          ...(workers === 1 ? [await measure(server, load)] : await split(server, load)),
        );
      }
    }
  }
  return results;
}

/** The whole, then what of its processor time falls to the gateways and to the writer. */
async function split(
  server: ServerProcess,
  load: Parameters<typeof measure>[1],
): Promise<Measurement[]> {
  const before = cpuParts(server.pid);
  const whole = await measure(server, load);
  const after = cpuParts(server.pid);
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
