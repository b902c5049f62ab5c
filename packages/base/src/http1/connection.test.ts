import { describe, expect, test } from "bun:test";
import { PIPELINED_BYTES_MAX, UNREAD_PIECES_BYTES_MAX } from "./limits.ts";
import { COMMON, TEST_LIMITS, echo, openWireServer, statuses } from "./testing/server.ts";
import { turn } from "./testing/wire.ts";

const GET = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const LAST = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const CHUNKED =
  "PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: v\r\n\r\n";
const SIZED = "PUT /s HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nworld";
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

function answerOf(body: string, more = ""): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${COMMON}${more}\r\n${body}`;
}

const STREAM = `${GET}${CHUNKED}\r\n${SIZED}${LAST}`;
const ANSWERS = [
  answerOf("GET /a []"),
  answerOf("PUT /c [hello]"),
  answerOf("PUT /s [world]"),
  answerOf("GET /last []", "Connection: close\r\n"),
].join("");

test("requests are answered in order, each with its body", async () => {
  await using world = await openWireServer();
  expect(await world.answer([STREAM])).toBe(ANSWERS);
});

test("the same bytes cut anywhere give the same answers", async () => {
  await using world = await openWireServer();
  for (let cut = 1; cut < STREAM.length; cut++) {
    expect(await world.answer([STREAM.slice(0, cut), STREAM.slice(cut)])).toBe(ANSWERS);
  }
  expect(await world.answer(Array.from(STREAM))).toBe(ANSWERS);
});

describe("what is refused is refused wherever it is cut", () => {
  test.each([
    [`${GET}GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n${GET}`, [200, 400]],
    [`${CHUNKED}POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n${GET}`, [200, 501]],
    [`POST / HTTP/1.1\r\nHost: h\r\nExpect: foo\r\nContent-Length: 3\r\n\r\nabc${GET}`, [417]],
    [`PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX${GET}`, [400]],
    [`\r\n\r\n\r\n\r\n\r\n${GET}`, [400]],
  ])("%j", async (stream, expected) => {
    await using world = await openWireServer();
    for (let cut = 0; cut < stream.length; cut++) {
      const answered = await world.answer([stream.slice(0, cut), stream.slice(cut)]);
      expect([cut, statuses(answered)]).toEqual([cut, expected]);
    }
    expect(statuses(await world.answer(Array.from(stream)))).toEqual(expected);
  });
});

test("500 requests in one breath are answered in order", async () => {
  await using world = await openWireServer({
    handle: async (exchange) => {
      if (exchange.head.target.endsWith("7")) await turn();
      await echo(exchange);
    },
  });
  const targets = Array.from({ length: 500 }, (_, at) => `/${at}`);
  const text = targets.map((target) => GET.replace("/a", target)).join("");
  const wire = world.connect();
  wire.send(text);
  while (!wire.answered.includes("GET /499 ")) await turn();
  expect(Array.from(wire.answered.matchAll(/GET (\/\d+) /g), (match) => match[1])).toEqual(targets);
});

test("what comes early waits, and beyond a bound the client is held back until the answer is out", async () => {
  const gate = Promise.withResolvers<void>();
  await using world = await openWireServer({
    handle: async (exchange) => {
      if (exchange.head.target === "/slow") await gate.promise;
      await echo(exchange);
    },
  });
  const wire = world.connect();
  wire.send(GET.replace("/a", "/slow") + GET);
  await turn();
  expect(wire.isPaused).toBe(false);
  wire.send(GET.repeat(Math.ceil(PIPELINED_BYTES_MAX / GET.length)));
  expect([wire.isPaused, wire.answered]).toEqual([true, ""]);
  gate.resolve();
  while (wire.isPaused) await turn();
  expect(wire.answered).toStartWith(answerOf("GET /slow []") + answerOf("GET /a []"));
});

test("who takes long over a large piece has no second one waiting behind it", async () => {
  const gate = Promise.withResolvers<void>();
  const sizes: number[] = [];
  await using world = await openWireServer({
    handle: async ({ body, response }) => {
      for (let piece = await body.read(); piece !== undefined; piece = await body.read()) {
        sizes.push(piece.length);
        await gate.promise;
      }
      await response.send(200, {}, "");
    },
  });
  const wire = world.connect();
  const large = "x".repeat(UNREAD_PIECES_BYTES_MAX + 1);
  wire.send(`PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: ${2 * large.length}\r\n\r\n`);
  await turn();
  wire.send(large);
  expect(wire.isPaused).toBe(true);
  gate.resolve();
  await turn();
  expect(wire.isPaused).toBe(false);
  wire.send(large);
  await turn();
  expect(sizes).toEqual([large.length, large.length]);
});

test("a body that nobody reads holds its client back", async () => {
  const gate = Promise.withResolvers<void>();
  await using world = await openWireServer({
    handle: async (exchange) => {
      await gate.promise;
      await echo(exchange);
    },
  });
  const wire = world.connect();
  const half = "x".repeat(UNREAD_PIECES_BYTES_MAX);
  wire.send(`PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: ${2 * half.length}\r\n\r\n`);
  wire.send(half);
  expect(wire.isPaused).toBe(false);
  wire.send("x");
  expect(wire.isPaused).toBe(true);
  gate.resolve();
  await turn();
  expect(wire.isPaused).toBe(false);
  wire.send(half.slice(1));
  await turn();
  expect(wire.answered).toBe(answerOf(`PUT / [${half}${half}]`));
});

describe("100 Continue", () => {
  const head = "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n";

  test("is sent when the body is asked for, once", async () => {
    await using world = await openWireServer();
    const wire = world.connect();
    wire.send(head);
    await turn();
    expect(wire.answered).toBe(CONTINUE);
    wire.send("hello");
    await turn();
    expect(wire.answered).toBe(CONTINUE + answerOf("PUT /x [hello]"));
  });

  test("is not sent for a refusal, which ends the connection", async () => {
    await using world = await openWireServer({
      handle: async ({ response }) => response.send(403, {}, "no"),
    });
    const wire = world.connect();
    wire.send(head);
    await turn();
    expect(wire.answered).toBe(
      `HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n${COMMON}Connection: close\r\n\r\nno`,
    );
    wire.send(`hello${GET}`);
    await turn();
    expect([wire.isFinished, statuses(wire.answered)]).toEqual([true, [403]]);
  });

  test("does not stand in the middle of an answer", async () => {
    await using world = await openWireServer({
      handle: async ({ body, response }) => {
        response.begin(200, {}, { sizeBytes: 7 });
        await response.write(Buffer.from("so"));
        const piece = await body.read();
        await response.write(piece ?? Buffer.from("?"));
        await response.end();
      },
    });
    const answered = await world.answer([head, "hello"]);
    expect(answered).toBe(
      `HTTP/1.1 200 OK\r\nContent-Length: 7\r\n${COMMON}Connection: close\r\n\r\nsohello`,
    );
  });

  test("is unknown to HTTP/1.0", async () => {
    await using world = await openWireServer();
    const answered = await world.answer([`${head.replace("1.1", "1.0")}hello`]);
    expect(answered).toBe(answerOf("PUT /x [hello]", "Connection: close\r\n"));
  });
});

describe("keeping the connection", () => {
  test.each([
    ["1.1", "", true],
    ["1.1", "Connection: close\r\n", false],
    ["1.1", "Connection: x, CLOSE\r\n", false],
    ["1.1", "Connection: keep-alive\r\n", true],
    ["1.0", "", false],
    ["1.0", "Connection: Keep-Alive\r\n", true],
    ["1.0", "Connection: keep-alive, close\r\n", false],
    ["1.1", "Connection: \xa0close\r\n", true],
  ])("HTTP/%s with %j: %p", async (version, line, isKept) => {
    await using world = await openWireServer();
    const text = `GET / HTTP/${version}\r\nHost: h\r\n${line}\r\n`;
    const wire = world.connect();
    wire.send(text + text);
    await turn();
    expect(statuses(wire.answered)).toEqual(isKept ? [200, 200] : [200]);
    expect(wire.isFinished).toBe(!isKept);
    expect(wire.answered.includes("Connection: keep-alive")).toBe(isKept && version === "1.0");
  });

  test("a small body that nobody wanted goes by, a large one ends the connection with its answer out", async () => {
    await using world = await openWireServer({
      handle: async ({ response }) => response.send(404, {}, ""),
    });
    const max = TEST_LIMITS.unreadBytesMax;
    const put = (size: number): string =>
      `PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`;
    expect(statuses(await world.answer(Array.from(put(max) + GET)))).toEqual([404, 404]);
    const large = `${put(max + 1)}${GET}`;
    const cut = large.indexOf("\r\n\r\n") + 4;
    const pieces = [large.slice(0, cut), large.slice(cut)];
    const answered = await world.answer(pieces);
    expect(statuses(answered)).toEqual([404]);
    expect(answered).toContain("Connection: close\r\n");
    expect(statuses(await world.answer([CHUNKED.slice(0, -4), CHUNKED.slice(-4) + GET]))).toEqual([
      404,
    ]);
  });

  test("a client that ends its side after a request still gets the answer, and its handler is told", async () => {
    const gate = Promise.withResolvers<void>();
    let isAborted = false;
    await using world = await openWireServer({
      handle: async (exchange) => {
        const { signal } = exchange;
        await gate.promise;
        isAborted = signal.aborted;
        await echo(exchange);
      },
    });
    const wire = world.connect();
    wire.send(GET);
    wire.end();
    gate.resolve();
    await turn();
    expect(wire.answered).toBe(answerOf("GET /a []", "Connection: close\r\n"));
    expect([isAborted, wire.isFinished]).toEqual([true, true]);
  });

  test("a client that ends its side within a body is told so", async () => {
    await using world = await openWireServer();
    for (const text of [SIZED.slice(0, -1), CHUNKED.slice(0, -1)]) {
      const wire = world.connect();
      wire.send(text);
      await turn();
      wire.end();
      await turn();
      expect(wire.answered).toStartWith("HTTP/1.1 400 ");
      expect(wire.answered).toEndWith("BodyCutError");
      expect(wire.isFinished).toBe(true);
    }
  });

  test("a client that is gone within a body or an answer leaves nothing waiting", async () => {
    const ended: string[] = [];
    await using world = await openWireServer({
      handle: async (exchange) => {
        await echo(exchange);
        ended.push(`${exchange.response.isClosed}`);
      },
    });
    const reading = world.connect();
    reading.send(SIZED.slice(0, -1));
    const writing = world.connect();
    writing.roomBytes = 10;
    writing.send(GET);
    await turn();
    expect(ended).toEqual([]);
    reading.destroy();
    writing.destroy();
    await turn();
    expect(ended).toEqual(["true", "true"]);
    await world.server.drain(AbortSignal.timeout(10_000));
  });
});
