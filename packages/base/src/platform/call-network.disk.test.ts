import { expect, test } from "bun:test";
import { CallError, type CallPeer } from "../calls.ts";
import { temporaryFolder } from "../testing/temporary-folder.ts";
import { systemCallNetwork } from "./call-network.ts";

const CODED = Object.assign(new Error("Cannot do it: reasons"), { code: "not-today" });

async function pair(handlers: Record<string, (argument: unknown) => unknown>) {
  const folder = temporaryFolder();
  const accepted = Promise.withResolvers<CallPeer>();
  const listener = await systemCallNetwork.listen(`${folder.path}/calls`, (peer) => {
    accepted.resolve(peer);
    return handlers;
  });
  const client = await systemCallNetwork.connect(listener.address, {
    ping: (argument) => ["pong", argument],
  });
  const server = await accepted.promise;
  return {
    client,
    server,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return error instanceof CallError ? error.code : "another";
  }
}

test("both sides call each other with plain data", async () => {
  await using both = await pair({ echo: (argument) => argument });
  const value = { big: 2n ** 63n, bytes: new Uint8Array([1, 2, 3]), list: [undefined, "ä", 1.5] };
  expect(await both.client.call("echo", value)).toEqual(value);
  expect(await both.server.call("ping", 7)).toEqual(["pong", 7]);
});

test("bytes larger than any piece of the socket arrive whole, beside small calls", async () => {
  await using both = await pair({ echo: (argument) => argument });
  const large = new Uint8Array(9_000_001).map((_, index) => index * 31);
  const answers = await Promise.all([
    both.client.call("echo", large),
    ...Array.from({ length: 200 }, (_, index) => both.client.call("echo", index)),
  ]);
  expect(Buffer.compare(answers[0] as Uint8Array, large)).toBe(0);
  expect(answers.slice(1)).toEqual(Array.from({ length: 200 }, (_, index) => index));
});

test("calls are begun in the order they were made", async () => {
  const seen: unknown[] = [];
  await using both = await pair({ note: (argument) => void seen.push(argument) });
  await Promise.all(Array.from({ length: 500 }, (_, index) => both.client.call("note", index)));
  expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => index));
});

test("a handler's error arrives with its code, an unknown call is refused", async () => {
  await using both = await pair({
    coded: () => {
      throw CODED;
    },
    plain: () => Promise.reject(new Error("no")),
  });
  expect(await codeOf(both.client.call("coded", 0))).toBe("not-today");
  expect(await codeOf(both.client.call("plain", 0))).toBe("failed");
  expect(await codeOf(both.client.call("toString", 0))).toBe("no-such-call");
});

test("a connection that ends rejects what waits and what comes later", async () => {
  await using both = await pair({ never: () => new Promise(() => undefined) });
  const waiting = codeOf(both.client.call("never", 0));
  await both.server[Symbol.asyncDispose]();
  expect(await waiting).toBe("peer-gone");
  await both.client.closed;
  expect(await codeOf(both.client.call("never", 0))).toBe("peer-gone");
});

test("what a handler was given stays as it is while more arrives", async () => {
  const kept: Uint8Array[] = [];
  await using both = await pair({ keep: (bytes) => void kept.push(bytes as Uint8Array) });
  const sent = Array.from({ length: 300 }, (_, index) => new Uint8Array(3000).fill(index));
  for (let at = 0; at < sent.length; at += 10) {
    await Promise.all(sent.slice(at, at + 10).map((bytes) => both.client.call("keep", bytes)));
  }
  expect(kept.every((bytes, index) => Buffer.compare(bytes, sent[index] ?? bytes) === 0)).toBe(
    true,
  );
});

test("a call and an answer that are no plain data fail alone", async () => {
  await using both = await pair({ odd: () => new Date(0), echo: (argument) => argument });
  const [odd, refused, fine] = await Promise.allSettled([
    both.client.call("odd", 0),
    both.client.call("echo", () => 1),
    both.client.call("echo", { fine: true }),
  ]);
  expect([odd.status, refused.status]).toEqual(["rejected", "rejected"]);
  expect(fine).toEqual({ status: "fulfilled", value: { fine: true } });
});

test("what was called before a connection is ended in order still arrives", async () => {
  const seen: number[] = [];
  await using both = await pair({ note: (bytes) => void seen.push((bytes as Uint8Array).length) });
  const calls = Array.from({ length: 20 }, () =>
    codeOf(both.client.call("note", new Uint8Array(1_000_000))),
  );
  await both.client[Symbol.asyncDispose]();
  await Promise.all(calls);
  await both.server.closed;
  expect(seen).toEqual(Array.from({ length: 20 }, () => 1_000_000));
});
