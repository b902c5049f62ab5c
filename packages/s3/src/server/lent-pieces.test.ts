import { expect, test } from "bun:test";
import { type ByteStream, isByteStream } from "@kelp/base";
import type { Filer } from "@kelp/wire";
import { systemClock, systemHashes } from "@kelp/base/platform";
import { createMemoryFiler } from "../testing/memory-filer.ts";
import { lentPieces } from "../testing/lent-pieces.ts";
import { openTestDoor } from "../testing/door.ts";

const MIB = 1024 * 1024;
const HEAD_END = "\r\n\r\n";

function noise(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, at) => (at * 31 + (at >> 9)) % 251);
}

/** A door over pieces of that size which are spoiled when they are over. `left` resolves when a stream was left. */
async function lendingDoor(pieceBytes: number) {
  const filer = createMemoryFiler({
    hashes: systemHashes,
    nowMs: () => systemClock.nowMs(),
    pieceBytes,
  });
  let onLeft = (): void => undefined;
  const left = new Promise<void>((resolve) => {
    onLeft = resolve;
  });
  const lending: Filer = {
    ...filer,
    readFile: (entry, range) => lentPieces(filer.readFile(entry, range), onLeft),
  };
  return { door: await openTestDoor({ server: { filer: lending } }), left };
}

/** Asks, and reads nothing before `ready`; then all bytes of `count` answers of `sizeBytes`. */
async function slowly(
  door: Awaited<ReturnType<typeof openTestDoor>>,
  what: { readonly text: string; readonly sizeBytes: number; readonly ready: Promise<void> },
): Promise<Uint8Array> {
  const socket = await door.connect();
  socket.pause();
  socket.write(what.text);
  await what.ready;
  const pieces: Uint8Array[] = [];
  let received = 0;
  let bodyStart = -1;
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject).on("close", resolve);
    socket.on("data", (piece: Buffer) => {
      pieces.push(piece);
      received += piece.length;
      if (bodyStart < 0) bodyStart = Buffer.concat(pieces).indexOf(HEAD_END) + HEAD_END.length;
      if (received >= bodyStart + what.sizeBytes) resolve();
    });
    socket.resume();
  });
  socket.destroy();
  return Buffer.concat(pieces).subarray(bodyStart);
}

const GET = "GET /bkt/k HTTP/1.1\r\nHost: x\r\n\r\n";

test("bytes that a slow reader has not taken are not copied: their lender is left when it has", async () => {
  const body = noise(24 * MIB);
  const { door, left } = await lendingDoor(body.length);
  await using _door = door;
  await door.send("PUT", "/bkt");
  await door.send("PUT", "/bkt/k", { body });
  let isLeft = false;
  const note = async (): Promise<void> => {
    await left;
    isLeft = true;
  };
  const noted = note();
  const answer = async (): Promise<void> => {
    await door.send("GET", "/bkt/none");
    expect(isLeft).toBe(false);
  };
  const answered = answer();
  const received = await slowly(door, { text: GET, sizeBytes: body.length, ready: answered });
  expect(Buffer.compare(received, body)).toBe(0);
  await noted;
});

test.each([64 * 1024 + 1, 2 * MIB])(
  "pieces of %d bytes may be overwritten when the next is asked for",
  async (pieceBytes) => {
    const body = noise(12 * MIB + 5);
    const { door } = await lendingDoor(pieceBytes);
    await using _door = door;
    await door.send("PUT", "/bkt");
    await door.send("PUT", "/bkt/k", { body });
    expect(Buffer.compare((await door.send("GET", "/bkt/k")).bytes, body)).toBe(0);
    const range = await door.send("GET", "/bkt/k", { headers: { range: "bytes=5-200004" } });
    expect(Buffer.compare(range.bytes, body.subarray(5, 200_005))).toBe(0);
  },
);

test("answers asked for in one breath hold lent bytes unspoiled", async () => {
  const body = noise(300_000);
  const { door } = await lendingDoor(body.length);
  await using _door = door;
  await door.send("PUT", "/bkt");
  await door.send("PUT", "/bkt/k", { body });
  const count = 8;
  const last = GET.replace("Host", "Connection: close\r\nHost");
  const received = await slowly(door, {
    text: GET.repeat(count - 1) + last,
    sizeBytes: Number.POSITIVE_INFINITY,
    ready: Promise.resolve(),
  });
  const all = Buffer.from(received);
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (index > 0) at = all.indexOf(HEAD_END, at) + HEAD_END.length;
    expect(Buffer.compare(all.subarray(at, at + body.length), body)).toBe(0);
    at += body.length;
  }
});

test("memory of an upload's large pieces is given back as soon as the next piece is asked for", async () => {
  const body = noise(8 * MIB);
  const filer = createMemoryFiler({ hashes: systemHashes, nowMs: () => systemClock.nowMs() });
  let largeCount = 0;
  const seen: number[] = [];
  async function* watched(source: ByteStream): ByteStream {
    let last: Uint8Array | undefined;
    for await (const piece of source) {
      if (last !== undefined) seen.push(last.length);
      last = piece.length >= 64 * 1024 ? piece : undefined;
      if (last !== undefined) largeCount++;
      yield piece;
    }
    if (last !== undefined) seen.push(last.length);
  }
  const watching: Filer = {
    ...filer,
    writeFile: (request) => {
      const stream = isByteStream(request.body) ? watched(request.body) : request.body;
      return filer.writeFile({ ...request, body: stream });
    },
  };
  await using door = await openTestDoor({ server: { filer: watching } });
  await door.send("PUT", "/bkt");
  await door.send("PUT", "/bkt/k", { body });
  expect(largeCount).toBeGreaterThan(0);
  expect(seen).toEqual(Array.from({ length: largeCount }, () => 0));
  expect(Buffer.compare((await door.send("GET", "/bkt/k")).bytes, body)).toBe(0);
});
