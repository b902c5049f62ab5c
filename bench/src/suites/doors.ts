import { randomBytes } from "node:crypto";
import { type Measurement, measure } from "../load.ts";
import { type ServerProcess, benchFolder, startServer } from "../server-process.ts";

const COUNT = 30_000;
/** Of each kind before anything is measured: until then the machine code of the server is still being made. */
const WARM_UP_COUNT = 15_000;
const SIZE_BYTES = 1024;
const BOUNDARY = "needle-boundary";

/** Raw needles of 1 KB through the volume door, each write durable before its answer, each read checked. */
export async function doorsSuite(): Promise<Measurement[]> {
  using folder = benchFolder();
  await using server = await startServer(`${folder.path}/data`);
  const run = (name: string, clients: number, requests: readonly Buffer[]): Promise<Measurement> =>
    measure(
      { ...server, s3Port: Number(new URL(server.volumeUrl).port) },
      { name, clients, requests },
    );
  const round = async (clients: number, count: number): Promise<Measurement[]> => {
    const raw = await assign(server, count);
    const form = await assign(server, count);
    const bodies = { raw: rawBody(), form: formBody() };
    return [
      await run(
        "needle write 1 KB",
        clients,
        raw.map((path) => post(server, path, bodies.raw)),
      ),
      await run(
        "needle write 1 KB, form",
        clients,
        form.map((path) => post(server, path, bodies.form)),
      ),
      await run(
        "needle read 1 KB",
        clients,
        raw.map((path) => get(server, path)),
      ),
    ];
  };
  await round(16, WARM_UP_COUNT);
  return [...(await round(16, COUNT)), ...(await round(64, COUNT))];
}

/** Paths of needles that nobody has written yet, all of one assignment. */
async function assign(server: ServerProcess, count: number): Promise<string[]> {
  const response = await fetch(`${server.masterUrl}/dir/assign?count=${count}`, {
    headers: { authorization: basic(server) },
  });
  const { fid } = (await response.json()) as { readonly fid: string };
  return Array.from({ length: count }, (_, index) => `/${fid}_${index}`);
}

function basic(server: ServerProcess): string {
  const { accessKey, secretKey } = server.credentials;
  return `Basic ${Buffer.from(`${accessKey}:${secretKey}`).toString("base64")}`;
}

interface Sent {
  readonly type: string;
  readonly body: Buffer;
}

function rawBody(): Sent {
  return { type: "application/octet-stream", body: randomBytes(SIZE_BYTES) };
}

function formBody(): Sent {
  const opening = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="x.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  return {
    type: `multipart/form-data; boundary=${BOUNDARY}`,
    body: Buffer.concat([
      Buffer.from(opening),
      randomBytes(SIZE_BYTES),
      Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
    ]),
  };
}

function post(server: ServerProcess, path: string, { type, body }: Sent): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: ${basic(server)}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

function get(server: ServerProcess, path: string): Buffer {
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: ${basic(server)}\r\n\r\n`,
  );
}
