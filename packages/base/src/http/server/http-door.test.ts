import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { utf8, utf8Text } from "../../bytes.ts";
import { Foreground } from "../../foreground.ts";
import { silentLog } from "../../log.ts";
import { systemClock, systemTcpNetwork } from "../../platform/index.ts";
import { Semaphore } from "../../semaphore.ts";
import { type HttpDoor, openHttpDoor } from "./http-door.ts";
import { HttpError } from "../http-error.ts";
import type { HttpRequest } from "../http-request.ts";
import { type HttpReply, textReply } from "../reply.ts";

const BUDGET = new Semaphore(1_500_000);
let door: HttpDoor;

beforeAll(async () => {
  door = await openHttpDoor({
    handler: { handle, explain: () => undefined },
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
    clock: systemClock,
    log: silentLog,
  });
});

afterAll(async () => {
  await door.stop();
});

async function handle(request: HttpRequest): Promise<HttpReply> {
  switch (request.rawPath) {
    case "/echo": {
      using body = await request.body.whole(1_000_000, BUDGET);
      return textReply(200, `${body.bytes.length} ${utf8Text(body.bytes.subarray(0, 20))}`);
    }
    case "/stream": {
      let sizeBytes = 0;
      for await (const piece of request.body.stream(10_000_000)) sizeBytes += piece.length;
      return textReply(200, String(sizeBytes));
    }
    case "/refuse":
      throw new HttpError(403, "no", { headers: { "X-Why": "because" } });
    case "/bug":
      throw new TypeError("a secret of the program");
    case "/breaks":
      return { kind: "stream", status: 200, headers: {}, sizeBytes: 1000, stream: breaks() };
    case "/breaks-text":
      return { kind: "text-stream", status: 200, headers: {}, pieces: breaksText() };
    case "/breaks-at-once":
      return { kind: "stream", status: 200, headers: {}, sizeBytes: 1, stream: breaksAtOnce() };
    default:
      return textReply(200, `${request.rawPath}|${request.rawQuery}|${request.query.text("a")}`);
  }
}

async function* breaks(): AsyncGenerator<Uint8Array> {
  yield utf8("begun");
  throw new Error("the disk broke");
}

async function* breaksText(): AsyncGenerator<string> {
  yield "begun";
  throw new Error("the disk broke");
}

// oxlint-disable-next-line require-yield -- it fails before it could
async function* breaksAtOnce(): AsyncGenerator<Uint8Array> {
  throw new HttpError(500, "Cannot read");
}

/** Everything that comes back for some bytes, until the other side closes. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(door.port, "127.0.0.1", () => socket.write(text));
    socket.setEncoding("latin1");
    socket.on("data", (piece: string) => {
      answer += piece;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

function ask(lines: readonly string[], body = ""): Promise<string> {
  return raw(`${[...lines, "Host: x", "Connection: close"].join("\r\n")}\r\n\r\n${body}`);
}

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}

test("the target arrives as it was sent", async () => {
  const answer = await ask(["GET /a/../b%2Fc//?a=1+2&a=3 HTTP/1.1"]);
  expect(answer).toEndWith("/a/../b%2Fc//|a=1+2&a=3|1 2");
});

test.each(["*", "http://other.example/x", "/x#y", "x"])(
  "the target %s is refused",
  async (target) => {
    expect(statusOf(await ask([`GET ${target} HTTP/1.1`]))).toBe(400);
  },
);

test("a query that is not encoded correctly is refused", async () => {
  expect(statusOf(await ask(["GET /?a=%ff HTTP/1.1"]))).toBe(400);
});

test.each([
  ["two lengths", ["Content-Length: 3", "Content-Length: 3"]],
  ["two different lengths", ["Content-Length: 3", "Content-Length: 4"]],
  ["a length and a framing", ["Content-Length: 3", "Transfer-Encoding: chunked"]],
  ["an unknown framing", ["Transfer-Encoding: gzip, chunked"]],
  ["two framings", ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"]],
  ["a length that is no number", ["Content-Length: 3x"]],
  ["a negative length", ["Content-Length: -3"]],
  ["two hosts", ["Host: y"]],
  ["two credentials", ["Authorization: a", "Authorization: b"]],
])("a request with %s is refused, and nothing behind it is served", async (_, headers) => {
  const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const answer = await ask(["POST /echo HTTP/1.1", ...headers], `abc${smuggled}`);
  expect(answer).not.toContain("/smuggled");
  expect([400, 501]).toContain(statusOf(answer));
});

test("header lines beyond the bound are refused", async () => {
  const answer = await ask(["GET / HTTP/1.1", `X-Long: ${"x".repeat(40_000)}`]);
  expect(statusOf(answer)).toBe(431);
});

test("bodies come whole or as a stream, framed either way", async () => {
  expect(await ask(["POST /echo HTTP/1.1", "Content-Length: 3"], "abc")).toEndWith("3 abc");
  const chunked = ["POST /echo HTTP/1.1", "Transfer-Encoding: chunked"];
  expect(await ask(chunked, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")).toEndWith("5 abcde");
  const body = "x".repeat(2_000_000);
  const streamed = ["POST /stream HTTP/1.1", `Content-Length: ${body.length}`];
  expect(await ask(streamed, body)).toEndWith("2000000");
});

test("a body beyond the limit is refused, announced or not", async () => {
  const announced = ["POST /echo HTTP/1.1", "Content-Length: 1000001"];
  expect(statusOf(await ask(announced, "x".repeat(1_000_001)))).toBe(413);
  const chunked = ["POST /echo HTTP/1.1", "Transfer-Encoding: chunked"];
  const chunk = `fffff\r\n${"x".repeat(0xfffff)}\r\n`;
  expect(statusOf(await ask(chunked, `${chunk}0\r\n\r\n`))).toBe(413);
});

test("bodies of unknown length are refused while the budget is used up", async () => {
  using _held = await BUDGET.acquire(1_000_000);
  const chunked = ["POST /echo HTTP/1.1", "Transfer-Encoding: chunked"];
  expect(statusOf(await ask(chunked, "3\r\nabc\r\n0\r\n\r\n"))).toBe(503);
  expect(BUDGET.used).toBe(1_000_000);
});

test("what a body took of the budget is given back", async () => {
  const body = "x".repeat(900_000);
  const lines = ["POST /echo HTTP/1.1", `Content-Length: ${body.length}`];
  expect(await ask(lines, body)).toContain("900000 xxx");
  expect(BUDGET.used).toBe(0);
});

test("a client that waits is told to go on only when its body is wanted", async () => {
  const lines = ["Content-Length: 3", "Expect: 100-continue"];
  const taken = await ask(["POST /echo HTTP/1.1", ...lines], "abc");
  expect(taken).toStartWith("HTTP/1.1 100 Continue");
  const refused = await ask(["POST /refuse HTTP/1.1", ...lines]);
  expect(refused).toStartWith("HTTP/1.1 403");
});

test("a refusal is JSON with its headers; a bug tells nothing of itself", async () => {
  const refused = await ask(["GET /refuse HTTP/1.1"]);
  expect(refused).toContain("X-Why: because");
  expect(refused).toEndWith('{"error":"no"}');
  const bug = await ask(["GET /bug HTTP/1.1"]);
  expect(statusOf(bug)).toBe(500);
  expect(bug).not.toContain("secret");
});

test("a stream that fails midway is cut off, never ended as if it were whole", async () => {
  const answer = await raw("GET /breaks HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(answer).toContain("Content-Length: 1000");
  const text = await raw("GET /breaks-text HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(text).not.toContain("\r\n0\r\n");
  expect(statusOf(await ask(["GET /breaks-at-once HTTP/1.1"]))).toBe(500);
});

test("HEAD has the headers and no body", async () => {
  const answer = await ask(["HEAD /x HTTP/1.1"]);
  expect(answer).toContain("Content-Length: 13");
  expect(answer).toEndWith("\r\n\r\n");
});

test("a connection serves on after a small body that nobody wanted", async () => {
  const first = "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
  const second = "GET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const answer = await raw(first + second);
  expect(answer).toContain("HTTP/1.1 403");
  expect(answer).toContain("/second||");
});

test("a door tells of each request, whether it is answered, refused or breaks", async () => {
  const seen: string[] = [];
  let nowMs = 0;
  const foreground = new Foreground({ monotonicMs: () => nowMs });
  const told = await openHttpDoor({
    handler: {
      handle(request) {
        seen.push(foreground.load);
        return handle(request);
      },
      explain: () => undefined,
    },
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
    clock: systemClock,
    log: silentLog,
    foreground,
  });
  try {
    expect(foreground.load).toBe("none");
    for (const path of ["/x", "/refuse", "/bug"]) {
      const response = await fetch(`http://127.0.0.1:${told.port}${path}`);
      await response.text();
    }
    expect(seen).toEqual(["light", "light", "light"]);
    await told.drain(AbortSignal.timeout(10_000));
    nowMs += 60_000;
    expect(foreground.load).toBe("none");
  } finally {
    await told.stop();
  }
});
