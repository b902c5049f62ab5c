import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { silentLog } from "../../log.ts";
import { systemClock, systemTcpNetwork } from "../../platform/index.ts";
import type { HttpRequest } from "../http-request.ts";
import { openFetchDoor } from "./fetch-door.ts";
import type { HttpDoor } from "./http-door.ts";

function openDoor(
  handle: (request: Request, received: HttpRequest) => Promise<Response> | Response,
): Promise<HttpDoor> {
  return openFetchDoor({
    handle: async (request, received) => handle(request, received),
    refuse: ({ status, message }) => new Response(message, { status }),
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
    clock: systemClock,
    log: silentLog,
  });
}

/** Everything that comes back for some bytes, until the other side ends, or `until` appears. */
function raw(door: HttpDoor, text: string, until?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(door.port, "127.0.0.1", () => socket.write(text));
    socket.setEncoding("latin1");
    socket.on("data", (piece: string) => {
      answer += piece;
      if (until !== undefined && answer.includes(until)) socket.destroy();
    });
    socket.on("close", () => resolve(answer)).on("error", reject);
  });
}

function ask(target: string, ...lines: string[]): string {
  return [`GET ${target} HTTP/1.1`, ...lines, "Connection: close", "", ""].join("\r\n");
}

function withoutCommon(answer: string): string {
  return answer
    .replace(/Server: Kelp\r\nDate: [^\r]*\r\n/, "")
    .replace("Connection: close\r\n", "");
}

test("a handler sees method, address, headers and body", async () => {
  await using door = await openDoor(async (request, received) => {
    const { method, url, headers } = request;
    const seen = [method, new URL(url).pathname, headers.get("x-a"), await request.text()];
    return Response.json([...seen, received.remoteAddress, received.rawPath]);
  });
  const base = `http://127.0.0.1:${door.port}`;
  const body = "x".repeat(300_000);
  const posted = await fetch(`${base}/p%20q`, { method: "POST", headers: { "x-a": "b" }, body });
  expect(await posted.json()).toEqual(["POST", "/p%20q", "b", body, "127.0.0.1", "/p%20q"]);
  const put = await fetch(`${base}/`, { method: "PUT" });
  expect(await put.json()).toEqual(["PUT", "/", null, "", "127.0.0.1", "/"]);
});

test("a body that is at hand has a length, one that comes by and by is in chunks, or as long as it was said", async () => {
  await using door = await openDoor((request) => {
    const { pathname } = new URL(request.url);
    const stream = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from("hel"));
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
        controller.enqueue(Buffer.from("lo"));
        controller.close();
      },
    });
    if (pathname === "/text") return new Response("hello");
    if (pathname === "/none") return new Response(null, { status: 204 });
    if (pathname === "/sized") return new Response(stream, { headers: { "content-length": "5" } });
    return new Response(stream);
  });
  const answer = async (target: string): Promise<string> =>
    withoutCommon(await raw(door, ask(target, "Host: h")));
  expect(await answer("/text")).toContain("Content-Length: 5\r\n\r\nhello");
  expect(await answer("/none")).toBe("HTTP/1.1 204 No Content\r\n\r\n");
  expect(await answer("/sized")).toBe("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  expect(await answer("/chunks")).toBe(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
  );
});

test("the head goes out before the first byte of a body that takes its time, and who leaves ends it", async () => {
  const gone = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await using door = await openDoor((request) => {
    request.signal.addEventListener("abort", () => aborted.resolve());
    return new Response(new ReadableStream({ cancel: () => gone.resolve() }));
  });
  const answer = await raw(door, ask("/", "Host: h"), "\r\n\r\n");
  expect(answer).toStartWith("HTTP/1.1 200 OK\r\n");
  await Promise.all([gone.promise, aborted.promise]);
});

test("a body that fails midway is cut, never ended as if it were whole", async () => {
  await using door = await openDoor(
    () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            controller.enqueue(Buffer.from("begun"));
            await new Promise((resolve) => setImmediate(resolve));
            controller.error(new Error("the disk broke"));
          },
        }),
      ),
  );
  const answer = await raw(door, ask("/", "Host: h"));
  expect(answer).not.toContain("0\r\n\r\n");
});

test("a handler's failure is told as one, without its text", async () => {
  await using door = await openDoor(() => {
    throw new TypeError("a secret of the program");
  });
  const answer = await raw(door, ask("/", "Host: h"));
  expect(answer).toStartWith("HTTP/1.1 500 ");
  expect(answer).not.toContain("secret");
});

test("several cookies are several lines", async () => {
  await using door = await openDoor(() => {
    const headers = new Headers([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    return new Response("", { headers });
  });
  const answer = await raw(door, ask("/", "Host: h"));
  expect(answer.match(/set-cookie: .=./g)).toEqual(["set-cookie: a=1", "set-cookie: b=2"]);
});

test("HEAD has the headers of a GET and no body", async () => {
  await using door = await openDoor(
    () => new Response("hello", { headers: { "content-length": "5" } }),
  );
  const answer = withoutCommon(await raw(door, ask("/", "Host: h").replace("GET", "HEAD")));
  expect(answer).toContain("Content-Length: 5\r\n");
  expect(answer).toEndWith("\r\n\r\n");
});

describe("what is no address is refused", () => {
  test.each([
    ["an empty host", ask("/", "Host:")],
    ["a host that is none", ask("/", "Host: a:b:c")],
    ["a host that a URL would write otherwise", ask("/", "Host: 0x7f.1")],
    ["a port that is none", ask("/", "Host: h:99999")],
    ["an absolute target", ask("http://elsewhere/", "Host: h")],
    ["a fragment", ask("/a#b", "Host: h")],
  ])("%s", async (_, text) => {
    await using door = await openDoor(() => new Response("served"));
    expect(await raw(door, text)).toStartWith("HTTP/1.1 400 ");
  });
});

test("a body that fails is told as the client's failure, whatever the handler makes of it", async () => {
  await using door = await openDoor(async (request) => {
    const text = await request.text().catch(() => undefined);
    if (new URL(request.url).pathname === "/knows") return new Response("known", { status: 422 });
    return text === undefined ? new Response("a bug?", { status: 500 }) : new Response(text);
  });
  const post = (path: string, body: string): Promise<string> => {
    const lines = [`POST ${path} HTTP/1.1`, "Host: h", "Transfer-Encoding: chunked"];
    return raw(door, [...lines, "Connection: close", "", body].join("\r\n"));
  };
  expect(await post("/", "5\r\nhello\r\n0\r\n\r\n")).toEndWith("hello");
  expect(await post("/", "5\r\nhello, world\r\n")).toStartWith("HTTP/1.1 400 ");
  expect(await post("/knows", "5\r\nhello, world\r\n")).toStartWith("HTTP/1.1 422 ");
});
