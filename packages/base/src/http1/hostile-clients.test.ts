import { expect, test } from "bun:test";
import { type Socket, connect } from "node:net";
import { silentLog } from "../log.ts";
import { systemClock, systemTcpNetwork } from "../platform/index.ts";
import type { Http1Exchange } from "./exchange.ts";
import { Http1Server } from "./server.ts";
import { TEST_LIMITS, echo } from "./testing/server.ts";

// Real sockets: what the system makes of clients that leave, end and reset in the middle of things.

const CLIENTS = 100;

function openServer(handle: (exchange: Http1Exchange) => Promise<void>): Promise<Http1Server> {
  return Http1Server.open({
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
    limits: TEST_LIMITS,
    clock: systemClock,
    log: silentLog,
    handle,
  });
}

function open(server: Http1Server): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: server.port, allowHalfOpen: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject).on("error", () => undefined);
      resolve(socket);
    });
  });
}

function answerOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (piece: Buffer) => {
      text += piece.toString("latin1");
    });
    socket.on("end", () => {
      socket.end();
      resolve(text);
    });
    socket.on("error", () => resolve(`${text}, cut`));
  });
}

const PUT = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n";
const CHUNKS = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n";
const LAST = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

test.each(["destroy", "resetAndDestroy"] as const)(
  "clients that %s within their bodies leave no request behind",
  async (how) => {
    let begun = 0;
    let ended = 0;
    const allBegun = Promise.withResolvers<void>();
    const allEnded = Promise.withResolvers<void>();
    await using server = await openServer(async (exchange) => {
      const first = await exchange.body.read();
      if (first !== undefined && ++begun === CLIENTS) allBegun.resolve();
      await echo(exchange);
      if (first !== undefined && ++ended === CLIENTS) allEnded.resolve();
    });
    const sockets = await Promise.all(Array.from({ length: CLIENTS }, () => open(server)));
    for (const [at, socket] of sockets.entries()) {
      socket.write(`${at % 2 === 0 ? PUT : CHUNKS}${"x".repeat(1000)}`);
    }
    await allBegun.promise;
    for (const socket of sockets) socket[how]();
    await allEnded.promise;
    const socket = await open(server);
    socket.write(LAST);
    expect(await answerOf(socket)).toEndWith("GET /last []");
  },
);

test("clients that leave within large answers end the reading of them", async () => {
  const piece = new Uint8Array(256 * 1024);
  let ended = 0;
  const allEnded = Promise.withResolvers<void>();
  await using server = await openServer(async ({ response }) => {
    response.begin(200, {}, {});
    while (!response.isClosed) await (response.write(piece) ?? new Promise(setImmediate));
    if (++ended === CLIENTS) allEnded.resolve();
  });
  const sockets = await Promise.all(Array.from({ length: CLIENTS }, () => open(server)));
  for (const [at, socket] of sockets.entries()) {
    socket.once("data", () => (at % 2 === 0 ? socket.destroy() : socket.resetAndDestroy()));
    socket.write(LAST);
  }
  await allEnded.promise;
  expect(ended).toBe(CLIENTS);
});

test("an answer before a body that is never read arrives whole, however much the client still sends", async () => {
  const body = "refused ".repeat(1000);
  await using server = await openServer(async ({ response }) => response.send(403, {}, body));
  for (const head of [PUT, CHUNKS]) {
    const socket = await open(server);
    const answer = answerOf(socket);
    socket.write(head);
    socket.write(Buffer.alloc(900_000, 0x78));
    expect(await answer).toEndWith(body);
  }
});

test("a client that ends its side after its request gets the answer", async () => {
  await using server = await openServer(async (exchange) => {
    await new Promise(setImmediate);
    await echo(exchange);
  });
  const socket = await open(server);
  const answer = answerOf(socket);
  socket.end("GET /half HTTP/1.1\r\nHost: h\r\n\r\n");
  expect(await answer).toEndWith("GET /half []");
});
