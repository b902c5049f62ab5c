import { Agent, request } from "node:http";
import { type KeyPair, type SignedRequest, signHeaders } from "./signed-request.ts";

export interface KeptAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** Tells the process that answered from others. */
  readonly servedBy: string;
}

/** One kept connection to an S3 door: with several processes behind the port, always to the same one. */
export class KeptDoor implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;
  readonly #key: KeyPair;

  constructor(url: string, key: KeyPair) {
    this.#url = url;
    this.#key = key;
  }

  /** Rejects when the connection ends before the answer. */
  send(asked: Omit<SignedRequest, "body">, body: Buffer = Buffer.alloc(0)): Promise<KeptAnswer> {
    const { host, port } = new URL(this.#url);
    const signed = signHeaders({ ...asked, payload: "UNSIGNED-PAYLOAD" }, this.#key, host);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: "127.0.0.1",
          port,
          agent: this.#agent,
          method: asked.method,
          path: asked.query === undefined ? asked.path : `${asked.path}?${asked.query}`,
          headers: { ...signed, "content-length": body.length },
        },
        (incoming) => {
          const pieces: Buffer[] = [];
          incoming.on("data", (piece: Buffer) => pieces.push(piece));
          incoming.on("error", reject);
          incoming.on("aborted", () => reject(new Error("the answer was cut off")));
          incoming.on("end", () =>
            resolve({
              status: incoming.statusCode ?? 0,
              body: Buffer.concat(pieces),
              servedBy: String(incoming.headers["x-amz-id-2"]),
            }),
          );
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

const READY_MS_MAX = 20_000;

/** Connections to as many different processes, as the system deals them out. */
export async function doorsToEach(
  url: string,
  key: KeyPair,
  count: number,
): Promise<readonly KeptDoor[]> {
  const doors = new Map<string, KeptDoor>();
  const untilMs = performance.now() + READY_MS_MAX;
  while (doors.size < count) {
    if (performance.now() > untilMs) throw new Error(`${doors.size} of ${count} processes answer`);
    const door = new KeptDoor(url, key);
    let servedBy: string;
    try {
      ({ servedBy } = await door.send({ method: "GET", path: "/" }));
    } catch {
      // It was dealt to one that is going.
      door[Symbol.dispose]();
      continue;
    }
    if (doors.has(servedBy)) door[Symbol.dispose]();
    else doors.set(servedBy, door);
  }
  return [...doors.values()];
}
