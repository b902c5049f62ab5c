import { expect, test } from "bun:test";
import { type Socket, connect } from "node:net";
import type { Clock } from "../../clock.ts";
import { silentLog } from "../../log.ts";
import { systemClock, systemTcpNetwork } from "../../platform/index.ts";
import { Semaphore } from "../../semaphore.ts";
import type { HttpRequest } from "../http-request.ts";
import { STALL_CHECKS_MAX, STALL_CHECK_MS, UNREAD_LINGER_MS } from "../limits.ts";
import { type HttpReply, textReply } from "../reply.ts";
import { type HttpDoor, openHttpDoor } from "./http-door.ts";

/** A clock that is moved by hand. */
class HandClock implements Clock {
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  #nowMs = 1_700_000_000_000;
  nowNs = (): bigint => BigInt(this.#nowMs) * 1_000_000n;
  nowMs = (): number => this.#nowMs;
  monotonicMs = (): number => this.#nowMs;
  sleep = (delayMs: number): Promise<void> => systemClock.sleep(delayMs);

  schedule(delayMs: number, run: () => void): { cancel(): void } {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  advance(byMs: number): void {
    this.#nowMs += byMs;
    for (const timer of this.#timers) {
      if (timer.atMs > this.#nowMs) continue;
      this.#timers.delete(timer);
      timer.run();
    }
  }
}

const BODY_BYTES = 1_000_000;

class World implements AsyncDisposable {
  readonly clock = new HandClock();
  /** Room for one body. */
  readonly budget = new Semaphore(BODY_BYTES);
  readonly receiving: string[] = [];
  #door: HttpDoor | undefined;

  static async open(): Promise<World> {
    const world = new World();
    world.#door = await openHttpDoor({
      handler: { handle: (request) => world.#handle(request), explain: () => undefined },
      network: systemTcpNetwork,
      address: "127.0.0.1",
      port: 0,
      clock: world.clock,
      log: silentLog,
    });
    return world;
  }

  async #handle(request: HttpRequest): Promise<HttpReply> {
    this.receiving.push(request.rawPath);
    if (request.rawPath.startsWith("/stream")) {
      let sizeBytes = 0;
      for await (const piece of request.body.stream(2 * BODY_BYTES)) sizeBytes += piece.length;
      return textReply(200, String(sizeBytes));
    }
    using body = await request.body.whole(2 * BODY_BYTES, this.budget);
    return textReply(200, String(body.bytes.length));
  }

  send(path: string, lengthBytes: number, sent: string): Client {
    return new Client(this.#door?.port ?? 0, [
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${lengthBytes}\r\n\r\n`,
      sent,
    ]);
  }

  /** Resolves when the door has taken a request of this path. */
  async received(path: string): Promise<void> {
    while (!this.receiving.includes(path)) await turn();
  }

  async looks(count: number): Promise<void> {
    for (let look = 0; look < count; look++) {
      await turn();
      this.clock.advance(STALL_CHECK_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#door?.stop();
  }
}

class Client {
  readonly socket: Socket;
  readonly answer: Promise<string>;
  text = "";

  constructor(port: number, parts: readonly string[]) {
    this.socket = connect(port, "127.0.0.1", () => {
      for (const part of parts) this.socket.write(part);
    });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (piece: string) => {
      this.text += piece;
    });
    this.answer = new Promise((resolve, reject) => {
      this.socket.on("close", () => resolve(this.text)).on("error", reject);
    });
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test.each([
  ["a large body", "/whole", BODY_BYTES],
  ["a small body", "/whole", 10],
  ["a stream", "/stream", BODY_BYTES],
  ["a short stream", "/stream", 10],
])("a client that stalls with %s is told so, and cut", async (_, path, lengthBytes) => {
  await using world = await World.open();
  const client = world.send(path, lengthBytes, "abc");
  await world.received(path);
  await world.looks(STALL_CHECKS_MAX + 1);
  while (!client.text.includes("too slowly")) {
    await turn();
    world.clock.advance(UNREAD_LINGER_MS);
  }
  expect(client.text).toStartWith("HTTP/1.1 408");
  expect(client.text).toContain("Connection: close");
  world.clock.advance(UNREAD_LINGER_MS);
  expect(await client.answer).toEndWith('{"error":"The body came too slowly"}');
  expect(world.budget.used).toBe(0);
});
