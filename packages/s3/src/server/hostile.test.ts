import { describe, expect, test } from "bun:test";
import { DISCARD_BYTES_MAX, DOCUMENTS_AT_ONCE_MAX } from "../limits.ts";
import { type TestDoor, openTestDoor } from "../testing/door.ts";
import { signedHeaders } from "../testing/sign.ts";

const HOST = "Host: x\r\n";

describe("bad framing is refused and never served", () => {
  const cases: readonly (readonly [name: string, text: string])[] = [
    [
      "both Content-Length and chunked",
      `PUT /b/k HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET`,
    ],
    [
      "two differing lengths",
      `PUT /b/k HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
    ],
    ["a negative length", `PUT /b/k HTTP/1.1\r\n${HOST}Content-Length: -4\r\n\r\n`],
    ["a length with a sign", `PUT /b/k HTTP/1.1\r\n${HOST}Content-Length: +4\r\n\r\nabcd`],
    ["a space before the colon", `PUT /b/k HTTP/1.1\r\n${HOST}X : v\r\nContent-Length: 0\r\n\r\n`],
    [
      "a broken chunk size",
      `PUT /b/k HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n`,
    ],
    [
      "a transfer coding that only ends like chunked",
      `PUT /b/k HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    ],
    [
      "two transfer codings",
      `PUT /b/k HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    ],
    ["a NUL in a header", `PUT /b/k HTTP/1.1\r\n${HOST}X: a\0b\r\nContent-Length: 0\r\n\r\n`],
    ["huge headers", `GET /b/k HTTP/1.1\r\n${HOST}X: ${"a".repeat(100_000)}\r\n\r\n`],
    ["a space in the path", `GET /b/k k HTTP/1.1\r\n${HOST}\r\n`],
  ];
  for (const [name, text] of cases) {
    test(name, async () => {
      await using door = await openTestDoor();
      await door.send("PUT", "/bkt");
      const received = await door.raw(text.replaceAll("/b/", "/bkt/"));
      expect(received).toMatch(/^HTTP\/1.1 (?:4\d\d|501)/);
      expect(await door.send("GET", "/bkt/k")).toMatchObject({ status: 404 });
    });
  }
});

test("what is no HTTP is refused in words that S3 clients read", async () => {
  await using door = await openTestDoor();
  const received = await door.raw(`GET /b/k k HTTP/1.1\r\n${HOST}\r\n`);
  const [head = "", document] = received.split("\r\n\r\n");
  expect(head).toStartWith("HTTP/1.1 400 ");
  expect(head).toContain("Content-Type: application/xml");
  expect(head).toContain(`Content-Length: ${document?.length ?? 0}`);
  expect(document).toMatch(
    /<Error><Code>BadRequest<\/Code><Message>[^<]+<\/Message><Resource\/?>.*<RequestId>\w+<\/RequestId><HostId>\w+<\/HostId><\/Error>$/,
  );
});

test("a body that ends early leaves no object, and the door serves on", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  for (const size of [1000, 1_000_000]) {
    const socket = await door.connect();
    await new Promise<void>((resolve) => {
      socket.write(`PUT /bkt/cut HTTP/1.1\r\n${HOST}Content-Length: ${size}\r\n\r\nhalf`, () =>
        resolve(),
      );
    });
    socket.destroy();
  }
  expect((await door.send("GET", "/bkt/cut")).status).toBe(404);
});

test("a refusal reaches a client that waits for 100 Continue, without its body", async () => {
  await using door = await openTestDoor();
  const received = await door.raw(
    `PUT /nobucket/k HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n`,
  );
  expect(received).toStartWith("HTTP/1.1 404");
  expect(received).toContain("<Code>NoSuchBucket</Code>");
  expect(received.toLowerCase()).toContain("connection: close");
  expect(received).not.toContain("100 Continue");
});

test("an admitted client is told to continue, once", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  const socket = await door.connect();
  let received = "";
  const answered = new Promise<void>((resolve) => {
    socket.on("data", (piece: Buffer) => {
      received += piece.toString("latin1");
      if (received === "HTTP/1.1 100 Continue\r\n\r\n") socket.write("hello");
      if (received.includes("HTTP/1.1 200")) resolve();
    });
  });
  socket.write(`PUT /bkt/k HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
  await answered;
  socket.destroy();
  expect(received).toStartWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200");
  expect((await door.send("GET", "/bkt/k")).text).toBe("hello");
});

test("an empty body is asked for, too: the final answer never stands in place of 100 Continue", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  const socket = await door.connect();
  let received = "";
  const answered = new Promise<void>((resolve) => {
    socket.on("data", (piece: Buffer) => {
      received += piece.toString("latin1");
      if (received.includes("HTTP/1.1 200")) resolve();
    });
  });
  socket.write(`PUT /bkt/k HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 0\r\n\r\n`);
  await answered;
  socket.destroy();
  expect(received).toStartWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200");
});

test("a refusal in place of 100 Continue ends the connection, also when the body is empty", async () => {
  await using door = await openTestDoor();
  const received = await door.raw(
    `PUT /nobucket/k HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 0\r\n\r\n`,
  );
  expect(received).toStartWith("HTTP/1.1 404");
  expect(received.toLowerCase()).toContain("connection: close");
});

test("an answer before a large body is whole, and the connection is then closed", async () => {
  await using door = await openTestDoor();
  const sizeBytes = DISCARD_BYTES_MAX * 4;
  const head = `PUT /nobucket/k HTTP/1.1\r\n${HOST}Content-Length: ${sizeBytes}\r\n\r\n`;
  const received = await door.raw(Buffer.concat([Buffer.from(head), Buffer.alloc(sizeBytes)]));
  expect(received).toStartWith("HTTP/1.1 404");
  expect(received).toContain("</Error>");
  expect(received.toLowerCase()).toContain("connection: close");
});

test("a client that is still sending gets the answer before its connection is closed", async () => {
  await using door = await openTestDoor();
  const socket = await door.connect();
  let received = "";
  let isClosed = false;
  socket.on("close", () => {
    isClosed = true;
  });
  const answered = new Promise<void>((resolve) => {
    socket.on("data", (piece: Buffer) => {
      received += piece.toString("latin1");
      if (received.includes("</Error>")) resolve();
    });
  });
  const sizeBytes = DISCARD_BYTES_MAX * 8;
  socket.write(`PUT /nobucket/k HTTP/1.1\r\n${HOST}Content-Length: ${sizeBytes}\r\n\r\nbegin`);
  await answered;
  expect(isClosed).toBe(false);
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => resolve());
    socket.write(Buffer.alloc(sizeBytes - 5));
  });
  expect(received).toStartWith("HTTP/1.1 404");
});

test("a small body that nobody reads does not end the connection", async () => {
  await using door = await openTestDoor();
  const one = `PUT /nobucket/k HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`;
  const received = await door.raw(
    one + one.replace("HTTP/1.1\r\n", "HTTP/1.1\r\nConnection: close\r\n"),
  );
  expect(received.match(/HTTP\/1.1 404/g)?.length).toBe(2);
});

test("pipelined requests are answered in order", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  for (const name of ["a", "b", "c"])
    await door.send("PUT", `/bkt/${name}`, { body: `body-${name}` });
  const get = (name: string, more = ""): string =>
    `GET /bkt/${name} HTTP/1.1\r\n${HOST}${more}\r\n`;
  const received = await door.raw(get("a") + get("b") + get("c", "Connection: close\r\n"));
  expect(received.match(/body-./g)).toEqual(["body-a", "body-b", "body-c"]);
});

test("an object key keeps dots, slashes and escapes exactly as signed and sent", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  const keys = ["../up", "./x", "a//b", "/lead", "trail/", "%252F", "a%2Fb", "+", "a\\b"];
  for (const key of keys) {
    expect((await door.send("PUT", `/bkt/${key}`, { body: key })).status).toBe(200);
  }
  const listed = await door.send("GET", "/bkt?list-type=2");
  const found = [...listed.text.matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1]);
  expect(found).toEqual(["%2F", "+", "../up", "./x", "/lead", "a//b", "a/b", "a\\b", "trail/"]);
});

test("targets that cannot be read are refused", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  const code = async (path: string): Promise<string | undefined> =>
    /<Code>(.*?)<\/Code>/.exec((await door.send("GET", path)).text)?.[1];
  expect(await code("/bkt/%zz")).toBe("InvalidURI");
  expect(await code("/bkt/%E9")).toBe("InvalidURI");
  expect(await code("/bkt/a?x=%")).toBe("InvalidURI");
  expect(await code("/bkt/%00")).toBe("InvalidArgument");
  expect(await code(`/bkt/${"k".repeat(1025)}`)).toBe("KeyTooLongError");
});

test("an absolute target is served as its path", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  await door.send("PUT", "/bkt/k", { body: "here" });
  const received = await door.raw(
    `GET http://elsewhere/bkt/k HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
  );
  expect(received).toEndWith("here");
});

test("a client that leaves stops the reading of its object", async () => {
  await using door = await openTestDoor({ pieceBytes: 64 * 1024 });
  await door.send("PUT", "/bkt");
  const pieceCount = 1024;
  await door.send("PUT", "/bkt/big", { body: Buffer.alloc(pieceCount * 64 * 1024) });
  const socket = await door.connect();
  await new Promise<void>((resolve) => {
    socket.once("data", () => {
      socket.destroy();
      resolve();
    });
    socket.write(`GET /bkt/big HTTP/1.1\r\n${HOST}\r\n`);
  });
  await door.send("GET", "/bkt/other");
  expect(door.filer.piecesRead).toBeLessThan(pieceCount);
});

test("a failing read before the first byte is an error, after it a cut connection", async () => {
  await using door = await openTestDoor({ pieceBytes: 64 * 1024 });
  await door.send("PUT", "/bkt");
  await door.send("PUT", "/bkt/big", { body: Buffer.alloc(10_000_000) });
  const error = Object.assign(new Error("checksum"), { code: "chunk-corrupt" });
  door.filer.failNextRead = { error, afterPieces: 0 };
  const early = await door.send("GET", "/bkt/big");
  expect(early.status).toBe(500);
  expect(early.text).toContain("<Code>InternalError</Code>");
  door.filer.failNextRead = { error, afterPieces: 20 };
  const received = await door.raw(`GET /bkt/big HTTP/1.1\r\n${HOST}\r\n`);
  expect(received).toStartWith("HTTP/1.1 200");
  expect(received.length).toBeLessThan(10_000_000);
});

test("a store without space answers at once, with the code for it", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  door.filer.failNextWrite = Object.assign(new Error("disk"), { code: "out-of-space" });
  const answer = await door.send("PUT", "/bkt/k", { body: Buffer.alloc(1_000_000) });
  expect(answer.status).toBe(507);
  expect(answer.text).toContain("<Code>StorageFull</Code>");
});

test("a bug is told as InternalError, without its text", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  door.filer.failNextWrite = new TypeError("secret inside");
  const answer = await door.send("PUT", "/bkt/k", { body: "x" });
  expect(answer.status).toBe(500);
  expect(answer.text).not.toContain("secret inside");
});

test("draining finishes what is in flight and takes nothing new", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  const socket = await door.connect();
  const received = new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (piece: Buffer) => {
      text += piece.toString("latin1");
    });
    socket.on("close", () => resolve(text));
  });
  const written = new Promise<void>((resolve) => {
    socket.write(
      `PUT /bkt/k HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
      () => resolve(),
    );
  });
  await written;
  await new Promise<void>((resolve) => {
    socket.once("data", () => resolve());
  });
  const drained = door.server.drain(new AbortController().signal);
  socket.write("hello");
  await drained;
  expect(await received).toContain("HTTP/1.1 200");
  expect((await door.filer.getEntry("bkt" as never, "k" as never)).kind).toBe("ok");
  expect(door.connect()).rejects.toThrow();
});

const DELETE = { method: "POST", path: "/bkt", query: "delete=" } as const;

function deleteHead(framing: string): string {
  const lines = Object.entries(signedHeaders(DELETE, "kelp")).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `POST /bkt?delete= HTTP/1.1\r\n${lines.join("\r\n")}\r\n${framing}\r\n`;
}

/** Documents that begin and do not end. The answer to a later request tells that the door has seen them. */
async function beginDocuments(door: TestDoor, count: number, framing: string) {
  const sockets = [];
  for (let index = 0; index < count; index++) {
    const socket = await door.connect();
    socket.on("error", () => undefined);
    socket.write(`${deleteHead(framing)}1\r\n<\r\n`);
    sockets.push(socket);
  }
  await door.send("GET", "/bkt/none");
  return sockets;
}

async function deletes(door: TestDoor, framing: "length" | "chunked"): Promise<string> {
  const body = "<Delete><Object><Key>k</Key></Object></Delete>";
  const md5 = new Bun.CryptoHasher("md5").update(body).digest("base64");
  const headers = `Content-MD5: ${md5}\r\nConnection: close\r\n`;
  return door.raw(
    framing === "length"
      ? `${deleteHead(`${headers}Content-Length: ${body.length}\r\n`)}${body}`
      : `${deleteHead(`${headers}Transfer-Encoding: chunked\r\n`)}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    "</DeleteResult>",
  );
}

test("clients that hang up while their documents wait hold nothing for ever", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  const framing = "Transfer-Encoding: chunked\r\n";
  const reading = await beginDocuments(door, DOCUMENTS_AT_ONCE_MAX, framing);
  const waiting = await beginDocuments(door, DOCUMENTS_AT_ONCE_MAX, framing);
  for (const socket of waiting) socket.destroy();
  await door.send("GET", "/bkt/none");
  for (const socket of reading) socket.destroy();
  expect(await deletes(door, "chunked")).toContain("<Deleted><Key>k</Key></Deleted>");
});

test("small documents are served beside large ones that do not end", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  const sockets = await beginDocuments(
    door,
    DOCUMENTS_AT_ONCE_MAX + 4,
    "Content-Length: 4000000\r\n",
  );
  expect(await deletes(door, "length")).toContain("<Deleted><Key>k</Key></Deleted>");
  for (const socket of sockets) socket.destroy();
});
