import { expect, test } from "bun:test";
import { METHODS, createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { SeededRandom } from "../testing/seeded-random.ts";
import type { Http1Exchange } from "./exchange.ts";
import { openWireServer } from "./testing/server.ts";

/** Streams of requests, each of them fine. */
const STREAMS = [
  "GET /a?b=c HTTP/1.1\r\nHost: h\r\nX-Y: z\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
  "PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
  "PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;e=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
  "POST /k HTTP/1.1\r\nHost: h:80\r\nConnection: keep-alive\r\nContent-Length: 0\r\nAccept: */*\r\n\r\nDELETE /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
  "HEAD /h HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
];

/** What parsers have been fooled with. */
const BITS = [
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  "\0",
  " ",
  "\t",
  ":",
  ",",
  ";",
  "0",
  "-",
  "+",
  "\x0b",
  "\x7f",
  "\xa0",
  "\xff",
  "chunked",
  "Content-Length: 3\r\n",
  "Content-Length: 5, 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: identity\r\n",
  "Transfer-Encoding: xchunked\r\n",
  "Host: g\r\n",
  "HTTP/1.1",
  "HTTP/1.0",
  "GET /s HTTP/1.1\r\nHost: h\r\n\r\n",
  "0\r\n\r\n",
];

function mutated(random: SeededRandom): string {
  let text = STREAMS[random.below(STREAMS.length)] ?? "";
  for (let count = 1 + random.below(3); count > 0; count--) {
    const at = random.below(text.length);
    const length = random.below(2) === 0 ? 1 : random.below(12);
    const bit = BITS[random.below(BITS.length)] ?? "";
    const kind = random.below(4);
    if (kind === 0) text = text.slice(0, at) + bit + text.slice(at);
    else if (kind === 1) text = text.slice(0, at) + bit + text.slice(at + length);
    else if (kind === 2) text = text.slice(0, at) + text.slice(at + length);
    else text = text.slice(0, at + length) + text.slice(at);
  }
  return text;
}

/** Ends the connection, of a reader that takes it for a request. */
const LAST = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

/** Method and target of each request that the runtime's server takes these bytes for, when `LAST` comes behind them. */
async function secondOpinion() {
  let seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    outgoing.end();
  });
  server.on("checkExpectation", (incoming, outgoing) => server.emit("request", incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    of(text: string): Promise<readonly string[]> {
      seen = [];
      return new Promise((resolve) => {
        const socket = connect(port, "127.0.0.1", () => {
          socket.write(Buffer.from(text + LAST, "latin1"));
        });
        const finish = (): void => resolve(seen.filter((line) => line !== "GET /last"));
        socket.on("error", () => undefined).on("close", finish);
        socket.resume();
      });
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const ROUNDS = 1500;
const SEED = Number(process.env["KELP_TEST_SEED"] ?? 20);

test("of bytes that were tampered with nothing is served that another parser would read otherwise", async () => {
  const random = new SeededRandom(SEED);
  await using other = await secondOpinion();
  let seen: Http1Exchange[] = [];
  await using world = await openWireServer({
    handle: async (exchange) => {
      seen.push(exchange);
      await exchange.response.send(200, {}, "");
    },
    limits: { unreadBytesMax: Number.POSITIVE_INFINITY },
  });
  let refusedCount = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const text = mutated(random);
    seen = [];
    const wire = world.connect();
    let servedEnd = 0;
    let served: readonly string[] = [];
    for (let at = 0; at < text.length; at++) {
      wire.send(text.charAt(at));
      const isWhole = seen.length > served.length && seen.at(-1)?.body.isComplete === true;
      // Methods are for the doors to know, and the other one closes after every answer to HTTP/1.0.
      if (!isWhole || !seen.every(isComparable)) continue;
      servedEnd = at + 1;
      served = seen.map(({ head }) => `${head.method} ${head.target}`);
    }
    if (wire.answered.includes("HTTP/1.1 400")) refusedCount++;
    wire.destroy();
    const opinion = await other.of(text.slice(0, servedEnd));
    expect([SEED, round, text, served]).toEqual([SEED, round, text, opinion]);
  }
  // Else nothing was tried that is wrong.
  expect(refusedCount).toBeGreaterThan(ROUNDS / 10);
});

function isComparable({ head }: Http1Exchange, at: number, all: readonly Http1Exchange[]): boolean {
  const isLast = at === all.length - 1;
  return METHODS.includes(head.method) && (isLast || head.version === "1.1");
}
