import { expect, test } from "bun:test";
import { type Result, must } from "@kelp/base";
import { openDatabase, systemHashes, systemRandom } from "@kelp/base/platform";
import {
  type Chunk,
  CHUNK_SIZE_BYTES,
  type Fid,
  OBJECT_BYTES_MAX,
  needleId,
  volumeId,
} from "@kelp/wire";
import { encodeChunks } from "./entry/chunk-list.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import { ManualClock, MemoryVolumes, TREE, openFilerWorld, pathOf } from "./testing/index.ts";

/** Volume 9 is full of chunks whose every eight bytes are the id of their needle: 5 TiB that nobody has to store. */
class SparseVolumes extends MemoryVolumes {
  sparseRemoved = 0;
  sparseRead = 0;

  override async read(fid: Fid, scratch?: Uint8Array): Promise<Uint8Array | undefined> {
    if (fid.volumeId !== SPARSE) return super.read(fid, scratch);
    this.sparseRead += 1;
    return new Uint8Array(new BigUint64Array(CHUNK_SIZE_BYTES / 8).fill(fid.needleId).buffer);
  }

  override async remove(fids: readonly Fid[]): Promise<void> {
    const kept = fids.filter((fid) => fid.volumeId !== SPARSE);
    this.sparseRemoved += fids.length - kept.length;
    await super.remove(kept);
  }
}

const SPARSE = volumeId(9);
const PART_CHUNKS = 4096;
const PARTS = OBJECT_BYTES_MAX / CHUNK_SIZE_BYTES / PART_CHUNKS;

function sparseChunk(index: number): Chunk {
  const fid = { volumeId: SPARSE, needleId: needleId(BigInt(index + 1)), cookie: 7 };
  return { fid, sizeBytes: CHUNK_SIZE_BYTES };
}

function valueOf<Value>(result: Result<Value, unknown>): Value | undefined {
  return result.kind === "ok" ? result.value : undefined;
}

test("a file of 5 TiB is joined of its parts, read at any place, counted, and freed", async () => {
  using database = openDatabase(":memory:");
  const clock = new ManualClock();
  const volumes = new SparseVolumes();
  const created = { tree: TREE, path: pathOf("huge"), owner: "ada", attributes: {} };
  let id;
  {
    const options = { database, clock, random: systemRandom, hashes: systemHashes };
    using store = openSqliteStore(options);
    await store.createTree({ name: TREE, kind: "bucket", owner: "ada" });
    ({ id } = must(valueOf(await store.createUpload(created))));
    for (let number = 1; number <= PARTS; number++) {
      const first = (number - 1) * PART_CHUNKS;
      const listed = Array.from({ length: PART_CHUNKS }, (_, index) => sparseChunk(first + index));
      const fid = await volumes.assign({ collection: "", sizeBytes: 1 });
      await volumes.append(fid, encodeChunks(listed));
      const sizeBytes = PART_CHUNKS * CHUNK_SIZE_BYTES;
      const chunks = [{ fid, sizeBytes, isManifest: true } as const];
      const part = { sizeBytes, etag: `${number}`, attributes: {}, modifiedMs: undefined };
      must(valueOf(await store.putPart({ tree: TREE, id, number, chunks, listed, ...part })));
    }
  }
  using world = openFilerWorld({ database, clock, volumes, master: volumes });
  const { filer } = world;
  const entry = must(
    valueOf(
      await filer.completeUpload({
        tree: TREE,
        id,
        parts: Array.from({ length: PARTS }, (_, index) => ({
          number: index + 1,
          etag: `${index + 1}`,
        })),
        partBytesMin: 1,
        describe: () => ({ etag: "whole", attributes: {} }),
      }),
    ),
  );
  expect(entry.sizeBytes).toBe(OBJECT_BYTES_MAX);
  expect((await filer.getTree(TREE))?.usage.bytes).toBe(OBJECT_BYTES_MAX);
  for (const start of [0, 2 ** 32 - 3, 2 ** 40 + CHUNK_SIZE_BYTES - 8, OBJECT_BYTES_MAX - 16]) {
    const read = filer.readFile(entry, { start, end: start + 16 });
    const bytes = Buffer.concat(await Array.fromAsync(read, (piece) => Buffer.from(piece)));
    const expected = Array.from({ length: 16 }, (_, index) => {
      const at = start + index;
      const needle = BigInt(Math.floor(at / CHUNK_SIZE_BYTES) + 1);
      return Number((needle >> BigInt((at % 8) * 8)) & 0xffn);
    });
    expect([...bytes]).toEqual(expected);
  }
  expect(volumes.sparseRead).toBeLessThan(10);
  await filer.deleteEntry({ tree: TREE, path: pathOf("huge") });
  while ((await filer.collect({ graceMs: 0 })).hasMore) continue;
  expect(volumes.sparseRemoved).toBe(PARTS * PART_CHUNKS);
  expect(volumes.needleCount).toBe(0);
  expect((await filer.getTree(TREE))?.usage).toEqual({ bytes: 0, entries: 0, chunks: 0 });
}, 120_000);
