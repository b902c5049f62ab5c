import { expect, test } from "bun:test";
import { collectBytes } from "@kelp/base";
import { CHUNK_SIZE_BYTES } from "@kelp/wire";
import { APPENDS_IN_FLIGHT_MAX, INLINE_BYTES_MAX, SMALL_BODY_BYTES_MAX } from "./limits.ts";
import {
  MemoryVolumeError,
  TREE,
  codeOf,
  fileOf,
  get,
  noise,
  openTreeWorld,
  pathOf,
  pieces,
  read,
  write,
} from "./testing/index.ts";

const MIB = 1024 * 1024;

const SIZES = [
  0,
  1,
  INLINE_BYTES_MAX,
  INLINE_BYTES_MAX + 1,
  SMALL_BODY_BYTES_MAX,
  SMALL_BODY_BYTES_MAX + 1,
  CHUNK_SIZE_BYTES,
  5 * MIB + 3,
];

for (const sizeBytes of SIZES) {
  for (const form of ["whole", "stream"] as const) {
    test(`a ${form} body of ${sizeBytes} bytes is read back as it was`, async () => {
      using world = await openTreeWorld();
      const body = noise(sizeBytes);
      const entry = await write(world, "a", form === "whole" ? body : pieces(body, 70_001));
      expect(entry.sizeBytes).toBe(sizeBytes);
      expect(entry.etag).toBe(new Bun.CryptoHasher("md5").update(body).digest("hex"));
      const found = await get(world, "a");
      expect(found).toEqual({ ...entry, content: found.content });
      expect(Buffer.compare((await read(world, "a")) ?? new Uint8Array(1), body)).toBe(0);
    });
  }
}

test("a range reads only the chunks it touches", async () => {
  using world = await openTreeWorld();
  const body = noise(5 * CHUNK_SIZE_BYTES);
  const entry = await write(world, "a", body);
  const range = { start: 2 * CHUNK_SIZE_BYTES - 5, end: 2 * CHUNK_SIZE_BYTES + 7 };
  const found = await collectBytes(world.filer.readFile(entry, range), 12);
  expect(found).toEqual(Buffer.from(body.subarray(range.start, range.end)));
  expect(world.volumes.readCount).toBe(2);
});

test("a missing, a short and a corrupt chunk each end the stream before any of its bytes", async () => {
  using world = await openTreeWorld();
  const body = noise(3 * CHUNK_SIZE_BYTES);
  const damages = [
    ["chunk-missing", "lose"],
    ["chunk-corrupt", "truncate"],
    ["chunk-corrupt", "corrupt"],
  ] as const;
  for (const [code, damage] of damages) {
    const entry = await write(world, "a", body);
    if (entry.content.kind === "inline") throw new Error("chunks are wanted");
    const second = entry.content.chunks[1];
    if (second === undefined) throw new Error("two chunks are wanted");
    world.volumes[damage](second.fid);
    let readBytes = 0;
    const reading = (async () => {
      for await (const part of world.filer.readFile(entry)) readBytes += part.length;
    })();
    expect([await codeOf(reading), readBytes]).toEqual([code, CHUNK_SIZE_BYTES]);
  }
});

test("no more than the window of one body is appended at once", async () => {
  using world = await openTreeWorld();
  world.volumes.beforeAppend = () => new Promise((resolve) => setImmediate(resolve));
  await write(world, "a", pieces(noise(20 * MIB), MIB));
  expect(world.volumes.appendingCountMax).toBe(APPENDS_IN_FLIGHT_MAX);
});

test("more large bodies than buffers all arrive", async () => {
  using world = await openTreeWorld({ writeBudgetBytes: 2 * CHUNK_SIZE_BYTES });
  const body = noise(3 * MIB);
  const writes = Array.from({ length: 8 }, (_, index) =>
    write(world, `${index}`, pieces(body, 65_536)),
  );
  await Promise.all(writes);
  expect(Buffer.compare((await read(world, "7")) ?? new Uint8Array(1), body)).toBe(0);
});

test("a volume that fills up under a chunk is left for another address, and nothing is left behind", async () => {
  using world = await openTreeWorld();
  let failures = 2;
  world.volumes.beforeAppend = () => {
    if (failures > 0) {
      failures -= 1;
      throw new MemoryVolumeError("volume-full");
    }
  };
  await write(world, "a", noise(MIB));
  expect(world.volumes.needleCount).toBe(1);
});

test("a body that cannot be stored is taken back, and the old entry stands", async () => {
  using world = await openTreeWorld();
  const old = await write(world, "a", noise(MIB));
  world.volumes.beforeAppend = (count) => {
    if (count === 3) throw new MemoryVolumeError("out-of-space");
  };
  const writing = world.filer.writeFile(fileOf("a", pieces(noise(9 * MIB), 65_536)));
  expect(await codeOf(writing)).toBe("out-of-space");
  expect(world.volumes.needleCount).toBe(1);
  expect(await get(world, "a")).toEqual(old);
});

test("chunks that cannot be taken back at once are queued, and freed later", async () => {
  using world = await openTreeWorld();
  world.volumes.beforeRemove = () => {
    throw new MemoryVolumeError("volume-failed");
  };
  const failing = {
    ...fileOf("a", noise(3 * MIB)),
    describe: () => {
      throw new Error("digest differs");
    },
  };
  expect(await codeOf(world.filer.writeFile(failing))).toEqual(new Error("digest differs"));
  expect(world.volumes.needleCount).toBe(2);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
  world.volumes.beforeRemove = () => undefined;
  expect((await world.filer.collect({ graceMs: 0 })).removedChunks).toBe(2);
  expect(world.volumes.needleCount).toBe(0);
});

test("an abort ends a write whose source is silent, and leaves nothing", async () => {
  using world = await openTreeWorld();
  const abort = new AbortController();
  const reason = new Error("client went away");
  async function* silent(): AsyncGenerator<Uint8Array> {
    yield noise(5 * MIB);
    queueMicrotask(() => abort.abort(reason));
    await new Promise(() => undefined);
  }
  const writing = world.filer.writeFile({ ...fileOf("a", silent()), signal: abort.signal });
  expect(await codeOf(writing)).toBe(reason);
  expect(world.volumes.needleCount).toBe(0);
  expect(await world.filer.getEntry(TREE, pathOf("a"))).toEqual({
    kind: "refused",
    refusal: "no-such-entry",
  });
});

test("a body that throws leaves the old entry and no chunks", async () => {
  using world = await openTreeWorld();
  const old = await write(world, "a", noise(10));
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield noise(5 * MIB);
    throw new Error("connection reset");
  }
  const writing = world.filer.writeFile(fileOf("a", broken()));
  expect(await codeOf(writing)).toEqual(new Error("connection reset"));
  expect(world.volumes.needleCount).toBe(0);
  expect((await get(world, "a")).position).toBe(old.position);
});

test("an abandoned reader gives its read-ahead back and its content free", async () => {
  using world = await openTreeWorld({ readAheadBudgetBytes: 2 * CHUNK_SIZE_BYTES });
  const entry = await write(world, "a", noise(9 * MIB));
  for (let round = 0; round < 5; round += 1) {
    const stream = world.filer.readFile(entry)[Symbol.asyncIterator]();
    await stream.next();
    await stream.return?.();
  }
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("a") });
  expect((await world.filer.collect({ graceMs: 0 })).heldRows).toBe(0);
  expect(world.volumes.needleCount).toBe(0);
});
