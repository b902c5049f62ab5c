import { expect, test } from "bun:test";
import { collectBytes } from "@kelp/base";
import { CHUNK_SIZE_BYTES, type Entry, type WriteFile } from "@kelp/wire";
import { GARBAGE_GRACE_MS } from "./limits.ts";
import { type FilerWorld, TREE, openFilerWorld, pathOf } from "./testing/index.ts";

const MIB = 1024 * 1024;

async function worldWithTree(
  options: Parameters<typeof openFilerWorld>[0] = {},
): Promise<FilerWorld> {
  const world = openFilerWorld(options);
  await world.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
  return world;
}

async function write(
  world: FilerWorld,
  path: string,
  body: WriteFile["body"],
  more: Partial<WriteFile> = {},
): Promise<Entry> {
  const result = await world.filer.writeFile({
    tree: TREE,
    path: pathOf(path),
    body,
    describe: () => ({ attributes: { "content-type": "text/plain" } }),
    ...more,
  });
  if (result.kind === "refused") throw new Error(JSON.stringify(result.refusal));
  return result.value;
}

function noise(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let index = 0; index < sizeBytes; index += 1)
    bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  return bytes;
}

async function* pieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  // One reused buffer: a writer that keeps pieces instead of copying them is found out.
  const piece = new Uint8Array(pieceBytes);
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    const part = bytes.subarray(start, start + pieceBytes);
    piece.set(part);
    yield piece.subarray(0, part.length);
  }
}

const SIZES = [
  0,
  1,
  16 * 1024,
  16 * 1024 + 1,
  256 * 1024,
  256 * 1024 + 1,
  CHUNK_SIZE_BYTES,
  5 * MIB + 3,
];

for (const sizeBytes of SIZES) {
  for (const form of ["whole", "stream"] as const) {
    test(`a ${form} body of ${sizeBytes} bytes is read back as it was`, async () => {
      using world = await worldWithTree();
      const body = noise(sizeBytes);
      const entry = await write(world, "a", form === "whole" ? body : pieces(body, 70_001));
      expect(entry.sizeBytes).toBe(sizeBytes);
      expect(entry.etag).toBe(new Bun.CryptoHasher("md5").update(body).digest("hex"));
      const found = await world.filer.getEntry(TREE, pathOf("a"));
      if (found.kind === "refused") throw new Error(found.refusal);
      expect(found.value).toEqual({ ...entry, content: found.value.content });
      const read = await collectBytes(world.filer.readFile(found.value), sizeBytes);
      expect(Buffer.compare(read ?? new Uint8Array(1), body)).toBe(0);
    });
  }
}

test("replaced chunks are freed after the grace, and the check then finds nothing", async () => {
  using world = await worldWithTree();
  await write(world, "a", noise(5 * MIB));
  await write(world, "a", noise(3 * MIB));
  expect(world.volumes.needleCount).toBe(5);
  expect((await world.filer.collect()).removedChunks).toBe(0);
  world.clock.advance(GARBAGE_GRACE_MS);
  expect((await world.filer.collect()).removedChunks).toBe(3);
  expect(world.volumes.needleCount).toBe(2);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
  const tree = await world.filer.getTree(TREE);
  expect(tree?.usage).toEqual({ bytes: 3 * MIB, entries: 1, chunks: 2 });
});
