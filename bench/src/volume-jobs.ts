import { randomBytes } from "node:crypto";
import { measure } from "./load.ts";
import type { ServerProcess } from "./server-process.ts";

const KIB = 1024;
/** Needles of one helping, small ones many and large ones few: 2 MiB together. */
const HELPING: readonly (readonly [sizeBytes: number, count: number])[] = [
  [4 * KIB, 32],
  [16 * KIB, 12],
  [64 * KIB, 6],
  [256 * KIB, 2],
  [1024 * KIB, 1],
];
const HELPING_BYTES = HELPING.reduce((sum, [sizeBytes, count]) => sum + sizeBytes * count, 0);
/** Bodies are cut from it, so that filling is not held up by making random bytes. */
const STOCK_BYTES = 4 * 1024 * KIB;
/** One of so many needles is removed again. */
const REMOVED_EVERY = 3;
const FILL_CLIENTS = 8;

/** A volume that jobs are asked for. */
export interface FilledVolume {
  readonly id: number;
  readonly sizeBytes: number;
}

/**
 * Fills a volume of its own collection through the doors, as clients of SeaweedFS do, with needles of 4 KiB to 1 MiB, and removes
 * every third of them: they are garbage at once.
 */
export async function fillVolume(
  server: ServerProcess,
  collection: string,
  wantedBytes: number,
): Promise<FilledVolume> {
  const helpings = Math.ceil(wantedBytes / HELPING_BYTES);
  const sizes = HELPING.flatMap(([sizeBytes, count]) => Array<number>(count).fill(sizeBytes));
  const count = helpings * sizes.length;
  const authorization = basic(server);
  const assigned = await fetch(
    `${server.masterUrl}/dir/assign?count=${count}&collection=${collection}`,
    { headers: { authorization } },
  );
  const { fid } = (await assigned.json()) as { readonly fid: string };
  const door = { ...server, s3Port: Number(new URL(server.volumeUrl).port) };
  const stock = randomBytes(STOCK_BYTES);
  const head = (method: string, index: number, lengthBytes?: number): Buffer =>
    Buffer.from(
      `${method} /${fid}_${index} HTTP/1.1\r\nHost: bench\r\nAuthorization: ${authorization}\r\n` +
        (lengthBytes === undefined
          ? "\r\n"
          : `Content-Type: application/octet-stream\r\nContent-Length: ${lengthBytes}\r\n\r\n`),
    );
  let sizeBytes = 0;
  for (let helping = 0; helping < helpings; helping++) {
    const requests = sizes.map((size, place) => {
      const from = ((helping * 977 + place * 131) * 64) % (STOCK_BYTES - size);
      sizeBytes += size;
      return Buffer.concat([
        head("POST", helping * sizes.length + place, size),
        stock.subarray(from, from + size),
      ]);
    });
    await measure(door, { name: `fill ${collection}`, clients: FILL_CLIENTS, requests });
  }
  const removed = Array.from({ length: Math.floor(count / REMOVED_EVERY) }, (_, index) =>
    head("DELETE", index * REMOVED_EVERY),
  );
  await measure(door, {
    name: `remove of ${collection}`,
    clients: FILL_CLIENTS,
    requests: removed,
  });
  return { id: Number(fid.split(",")[0]), sizeBytes };
}

function basic(server: ServerProcess): string {
  const { accessKey, secretKey } = server.credentials;
  return `Basic ${Buffer.from(`${accessKey}:${secretKey}`).toString("base64")}`;
}

/** A job of an operator that is under way. */
export class RunningJob {
  readonly startedMs = performance.now();
  readonly #finished: Promise<number>;
  #isRunning = true;

  constructor(work: Promise<unknown>) {
    this.#finished = work
      .then(() => performance.now() - this.startedMs)
      .finally(() => {
        this.#isRunning = false;
      });
  }

  /** Not answered yet. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** How long it took, in milliseconds. Rejects when the server refused it or it failed. */
  end(): Promise<number> {
    return this.#finished;
  }
}

/** Asks for what `kelp shell` asks for, over the same API; resolves when the server has done it. */
export async function askJob(
  server: ServerProcess,
  id: number,
  what: "vacuum" | "scrub" | "encode" | "decode" | "state",
  message: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const response = await fetch(`${server.consoleUrl}/api/v1/volumes/${id}/${what}`, {
    method: what === "state" ? "PUT" : "POST",
    headers: {
      authorization: `Bearer ${server.credentials.consoleToken}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(message),
    // Jobs are answered when they are done.
    ...({ timeout: false } as object),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${what} of volume ${id}: ${response.status} ${text}`);
}
