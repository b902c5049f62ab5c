import { describe, expect, test } from "bun:test";
import { TOGETHER_BYTES_MAX } from "./limits.ts";
import type { Http1Exchange } from "./exchange.ts";
import type { ResponseHeaders } from "./response-head.ts";
import { COMMON, openWireServer } from "./testing/server.ts";
import { turn } from "./testing/wire.ts";

function ask(method: string, version = "1.1"): string {
  return `${method} / HTTP/${version}\r\nHost: h\r\nConnection: keep-alive\r\n\r\n`;
}

async function answerTo(
  request: string,
  handle: (exchange: Http1Exchange) => Promise<void>,
): Promise<string> {
  await using world = await openWireServer({ handle });
  return await world.answer([request]);
}

function whole(status: number, body: string, headers: ResponseHeaders = {}) {
  return async ({ response }: Http1Exchange): Promise<void> => response.send(status, headers, body);
}

function pieces(bodies: readonly string[], sizeBytes?: number) {
  return async ({ response }: Http1Exchange): Promise<void> => {
    response.begin(200, { X: "y" }, { sizeBytes });
    for (const body of bodies) await response.write(Buffer.from(body));
    await response.end();
  };
}

test("HEAD, 204 and 304 have no body, and the latter two no length", async () => {
  expect(await answerTo(ask("HEAD"), whole(200, "body"))).toBe(
    `HTTP/1.1 200 OK\r\nContent-Length: 4\r\n${COMMON}\r\n`,
  );
  for (const status of [204, 304]) {
    const answered = await answerTo(ask("GET"), whole(status, "body"));
    expect(answered).toEndWith(`${COMMON}\r\n`);
    expect(answered).not.toContain("Content-Length");
  }
  const head = `HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n${COMMON}\r\n`;
  expect(await answerTo(ask("HEAD"), pieces(["hello"], 5))).toBe(head);
});

test("bodies in pieces are framed by their length, in chunks, or by the end of the connection", async () => {
  const head = "HTTP/1.1 200 OK\r\nX: y\r\n";
  expect(await answerTo(ask("GET"), pieces(["hel", "", "lo"], 5))).toBe(
    `${head}Content-Length: 5\r\n${COMMON}\r\nhello`,
  );
  expect(await answerTo(ask("GET"), pieces(["hel", "", "0123456789abcdef"]))).toBe(
    `${head}Transfer-Encoding: chunked\r\n${COMMON}\r\n3\r\nhel\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n`,
  );
  expect(await answerTo(ask("GET"), pieces([]))).toEndWith(`${COMMON}\r\n0\r\n\r\n`);
  expect(await answerTo(ask("GET", "1.0"), pieces(["hel", "lo"]))).toBe(
    `${head}${COMMON}Connection: close\r\n\r\nhello`,
  );
});

test("a body cut short ends the connection; by a reset where its end would be taken for the whole", async () => {
  for (const [version, sizeBytes, isReset] of [
    ["1.1", 9, false],
    ["1.1", undefined, false],
    ["1.0", undefined, true],
  ] as const) {
    await using world = await openWireServer({
      handle: async ({ response }) => {
        response.begin(200, {}, { sizeBytes });
        await response.write(Buffer.from("hello"));
        response.destroy();
      },
    });
    const wire = world.connect();
    wire.send(ask("GET", version));
    await turn();
    expect([wire.isClosed, wire.isReset]).toEqual([true, isReset]);
    expect(wire.answered).not.toContain("0\r\n\r\n");
  }
});

test("a handler that breaks its own announcement is a bug, and ends the connection", async () => {
  for (const bodies of [["hello!"], ["hell"]]) {
    const errors: string[] = [];
    await using world = await openWireServer({
      handle: pieces(bodies, 5),
      log: logTo(errors),
    });
    const wire = world.connect();
    wire.send(ask("GET"));
    await turn();
    expect([wire.isClosed, errors]).toEqual([true, ["a request ended in a bug"]]);
  }
});

function logTo(errors: string[]) {
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message: string) => void errors.push(message),
    child: () => log,
  };
  return log;
}

describe("values cannot break out of their line", () => {
  test.each(["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\x7fb", "caf\u00e9 \u2615"])(
    "%j",
    async (value) => {
      const errors: string[] = [];
      await using world = await openWireServer({
        handle: whole(200, "", { "X-Stored": value }),
        log: logTo(errors),
      });
      const wire = world.connect();
      wire.send(ask("GET"));
      await turn();
      expect([wire.answered, errors.length]).toEqual(["", 1]);
    },
  );

  test("nor can names", async () => {
    const errors: string[] = [];
    const handle = whole(200, "", { "X: y\r\nZ": "v" });
    await using world = await openWireServer({ handle, log: logTo(errors) });
    expect(await world.answer([ask("GET")])).toBe("");
    expect(errors.length).toBe(1);
  });

  test("Latin-1 goes out as it is, several values as several lines", async () => {
    const headers = { "X-A": "caf\u00e9\t1", "Set-Cookie": ["a=1", "b=2"] };
    expect(await answerTo(ask("GET"), whole(200, "", headers))).toStartWith(
      "HTTP/1.1 200 OK\r\nX-A: caf\xe9\t1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n",
    );
  });
});

test("a head of any size is sent whole, and the next is as it always is", async () => {
  const large = Object.fromEntries(
    Array.from({ length: 5 }, (_, at) => [`X-${at}`, `${at}`.repeat(TOGETHER_BYTES_MAX)]),
  );
  const lines = Object.entries(large).map(([name, value]) => `${name}: ${value}\r\n`);
  for (const body of ["", "body"]) {
    const answered = await answerTo(ask("GET") + ask("GET"), whole(200, body, large));
    const each = `HTTP/1.1 200 OK\r\n${lines.join("")}Content-Length: ${body.length}\r\n${COMMON}\r\n${body}`;
    expect(answered === each + each).toBe(true);
  }
  expect(await answerTo(ask("GET"), pieces(["hel", "lo"], 5))).toBe(
    `HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n${COMMON}\r\nhello`,
  );
});

describe("a reader that takes little at a time gets every byte in order", () => {
  const sizes = [10, TOGETHER_BYTES_MAX, TOGETHER_BYTES_MAX + 1, 3 * TOGETHER_BYTES_MAX];
  const kinds = ["bytes", "text", "sized", "chunked"] as const;
  const cases = sizes.flatMap((size) => kinds.map((kind) => [size, kind] as const));
  test.each(cases)("%d bytes, %s", async (size, kind) => {
    const body = Buffer.from(Array.from({ length: size }, (_, at) => 65 + ((at * 7) % 26)));
    await using world = await openWireServer({
      handle: async ({ response }) => {
        if (kind === "bytes") await response.send(200, {}, body);
        else if (kind === "text") await response.send(200, {}, body.toString());
        else {
          response.begin(200, {}, { sizeBytes: kind === "sized" ? size : undefined });
          await response.write(body.subarray(0, 7));
          await response.write(body.subarray(7));
          await response.end();
        }
      },
    });
    const eager = world.connect();
    eager.send(ask("GET") + ask("GET"));
    await turn();
    const slow = world.connect();
    slow.roomBytes = 0;
    slow.send(ask("GET") + ask("GET"));
    for (let at = 0; slow.answered.length < eager.answered.length; at++) {
      slow.take(1 + ((at * 7919) % 30_011));
      await turn();
    }
    expect(slow.answered === eager.answered).toBe(true);
    expect(eager.answered.length).toBeGreaterThan(2 * size);
  });
});
