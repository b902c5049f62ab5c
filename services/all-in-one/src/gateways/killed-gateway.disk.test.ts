import { expect, test } from "bun:test";
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";
import { join } from "node:path";
import { must } from "@kelp/base";
import { temporaryFolder } from "@kelp/base/testing";
import { CHUNK_SIZE_BYTES } from "@kelp/wire";
import { type OpenedServer, openTestServer } from "../testing/opened-server.ts";
import { presignedUrl } from "../testing/presigned-url.ts";

const BUCKET = "bucket";
const PART_BYTES = 5 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

interface Asked {
  readonly method: "GET" | "PUT" | "POST";
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
}

/** A client with one kept connection, so that one gateway has all that it asks. */
class KeptClient implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #server: OpenedServer;

  constructor(server: OpenedServer) {
    this.#server = server;
  }

  /** A request whose body the caller sends. */
  begin({ method, key, query = {} }: Asked, sizeBytes: number): ClientRequest {
    const { s3Url, root } = this.#server;
    const url = presignedUrl(s3Url, root, { method, path: `/${BUCKET}/${key}`, query });
    return request(url, { agent: this.#agent, method, headers: { "content-length": sizeBytes } });
  }

  /** Rejects when the connection is refused or ends before the answer. */
  async send(asked: Asked, body: Buffer = NOTHING): Promise<{ status: number; body: Buffer }> {
    const outgoing = this.begin(asked, body.length);
    const incoming = Promise.withResolvers<IncomingMessage>();
    outgoing.on("error", incoming.reject);
    outgoing.on("response", incoming.resolve);
    outgoing.end(body);
    const answer = await incoming.promise;
    return { status: must(answer.statusCode), body: await buffer(answer) };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** Until the world is so; the test's own time is the bound. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

/** With a client that a gateway has answered: the port is there before the process behind it. */
async function answered(server: OpenedServer): Promise<KeptClient> {
  for (;;) {
    const client = new KeptClient(server);
    try {
      await client.send({ method: "GET", key: "nothing" });
      return client;
    } catch {
      client[Symbol.dispose]();
    }
  }
}

async function liveCount({ store }: OpenedServer): Promise<number> {
  const volumes = await store.volumes.volumes();
  return volumes.reduce((sum, volume) => sum + volume.liveCount, 0);
}

function bytesOf(seed: number, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes, seed);
  for (let at = 0; at + 4 <= sizeBytes; at += 4096) bytes.writeUInt32LE(at + seed, at);
  return bytes;
}

/** Kills every gateway; resolves when others serve and nothing is on loan to the dead any more. */
async function killGateways(server: OpenedServer): Promise<void> {
  const pids = server.gatewayPids();
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await until(() => {
    const now = server.gatewayPids();
    return now.length === pids.length && !now.some((pid) => pids.includes(pid));
  });
  const dead = new Set(pids.map((pid) => `gateway ${pid}`));
  await until(async () => {
    const volumes = await server.store.volumes.volumes();
    return !volumes.some(({ holder }) => holder !== undefined && dead.has(holder));
  });
}

test("kill -9 of gateways in the middle of bodies leaves what was acknowledged, and needles that a sweep frees", async () => {
  using folder = temporaryFolder();
  await using server = await openTestServer(join(folder.path, "data"), { workers: 2 });
  const { store } = server;
  await store.objects.createBucket(BUCKET, "root");
  using client = new KeptClient(server);
  const put = (key: string, body: Buffer, query?: Asked["query"]) =>
    client.send({ method: "PUT", key, ...(query && { query }) }, body);
  const [small, part] = [bytesOf(1, 50_000), bytesOf(2, PART_BYTES)];
  expect((await put("small", small)).status).toBe(200);
  const upload = await client.send({ method: "POST", key: "parts", query: { uploads: "" } });
  const uploadId = must(/<UploadId>([^<]+)/.exec(upload.body.toString())?.[1]);
  const first = await put("parts", part, { partNumber: "1", uploadId });
  expect(first.status).toBe(200);
  const before = await liveCount(server);

  // Bodies of which two chunks each are durable, and the rest is on its way for ever: an object and a part.
  const stuck = [
    client.begin({ method: "PUT", key: "stuck" }, 4 * CHUNK_SIZE_BYTES),
    (await answered(server)).begin(
      { method: "PUT", key: "parts", query: { partNumber: "2", uploadId } },
      4 * CHUNK_SIZE_BYTES,
    ),
  ];
  const cut = stuck.map((each) => new Promise((resolve) => each.on("error", resolve)));
  for (const each of stuck) each.write(bytesOf(3, 2 * CHUNK_SIZE_BYTES + 5));
  await until(async () => (await liveCount(server)) === before + 4);
  expect((await store.volumes.volumes()).some(({ holder }) => holder !== undefined)).toBe(true);

  await killGateways(server);
  await Promise.all(cut);
  // What they had on loan is back, with all that was durable in it.
  expect(await liveCount(server)).toBe(before + 4);

  using again = await answered(server);
  expect(await again.send({ method: "GET", key: "small" })).toEqual({ status: 200, body: small });
  expect((await again.send({ method: "GET", key: "stuck" })).status).toBe(404);
  expect((await again.send({ method: "PUT", key: "later" }, small)).status).toBe(200);
  const listed = await again.send({ method: "GET", key: "parts", query: { uploadId } });
  expect(listed.body.toString().match(/<PartNumber>\d+/g)).toEqual(["<PartNumber>1"]);

  // Seen first, then removed: what the two bodies left, and nothing else.
  await store.filer.sweepOrphans({ graceMs: 0 });
  await store.filer.sweepOrphans({ graceMs: 0 });
  expect(await liveCount(server)).toBe(before + 1);
  expect(await Array.fromAsync(store.filer.check())).toEqual([]);

  const etag = must(/<ETag>([^<]+)/.exec(listed.body.toString())?.[1]);
  const list = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
  const complete = { method: "POST", key: "parts", query: { uploadId } } as const;
  expect((await again.send(complete, Buffer.from(list))).status).toBe(200);
  for (const [key, body] of [
    ["small", small],
    ["later", small],
    ["parts", part],
  ] as const) {
    const read = await again.send({ method: "GET", key });
    expect({ key, isSame: read.body.equals(body) }).toEqual({ key, isSame: true });
  }
}, 60_000);
