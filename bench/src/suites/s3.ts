import { randomBytes } from "node:crypto";
import { Connection } from "../connection.ts";
import { type Measurement, measure } from "../load.ts";
import { benchFolder, startServer } from "../server-process.ts";
import type { Target } from "../target.ts";
import { RequestSigner } from "../signed-request.ts";

const OBJECT_BYTES = 4096;
const CLIENTS = [1, 16, 64] as const;
/** Enough for a few seconds each at the rates seen. */
const OPERATIONS: Readonly<Record<(typeof CLIENTS)[number], number>> = {
  1: 3000,
  16: 20_000,
  64: 40_000,
};

/** Small objects: PUT and GET of 4 KiB, fully signed, over kept connections. */
export async function s3Suite(): Promise<Measurement[]> {
  using folder = benchFolder();
  await using server = await startServer(`${folder.path}/data`);
  const signer = new RequestSigner(server.credentials, server.s3Port);
  await ask(server, signer.sign({ method: "PUT", path: "/bench", body: Buffer.alloc(0) }));
  const results: Measurement[] = [];
  // The first requests of a process are its slowest; they are nobody's everyday.
  await measure(server, { name: "warm", clients: 16, requests: puts(signer, "warm", 3000) });
  await measure(server, { name: "warm", clients: 16, requests: gets(signer, "warm", 3000) });
  for (const clients of CLIENTS) {
    const count = OPERATIONS[clients];
    const prefix = `c${clients}`;
    results.push(
      await measure(server, {
        name: "PUT 4 KiB",
        clients,
        requests: puts(signer, prefix, count),
      }),
      await measure(server, {
        name: "GET 4 KiB",
        clients,
        requests: gets(signer, prefix, count),
      }),
    );
  }
  return results;
}

export function puts(signer: RequestSigner, prefix: string, count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) =>
    signer.sign({
      method: "PUT",
      path: `/bench/${prefix}/${index}`,
      body: randomBytes(OBJECT_BYTES),
    }),
  );
}

export function gets(signer: RequestSigner, prefix: string, count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) =>
    signer.sign({ method: "GET", path: `/bench/${prefix}/${index}` }),
  );
}

/** One request whose success is taken for granted. */
export async function ask(server: Target, request: Buffer): Promise<string> {
  using connection = await Connection.open(server.s3Port);
  const answer = await connection.ask(request);
  if (answer.status >= 300) throw new Error(`The server answered ${answer.bodyStart}`);
  return answer.bodyStart;
}
