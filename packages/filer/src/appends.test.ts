import { expect, test } from "bun:test";
import { collectBytes, must } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { type AppendFile, CHUNK_SIZE_BYTES, type Entry } from "@kelp/wire";
import { JOINED_CHUNKS_MIN } from "./limits.ts";
import {
  type FilerWorld,
  TREE,
  get,
  noise,
  openTreeWorld,
  pathOf,
  pieces,
  read,
  write,
} from "./testing/index.ts";
import { openSealedWorld } from "./testing/sealed-world.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

async function append(
  world: FilerWorld,
  body: Uint8Array,
  describe: AppendFile["describe"] = () => ({ attributes: {} }),
): Promise<Entry> {
  const request = { tree: TREE, path: pathOf("log"), body, describe };
  const result = await world.filer.appendFile(request);
  if (result.kind === "refused") throw new Error(JSON.stringify(result.refusal));
  return result.value;
}

function chunkCount({ content }: Entry): number {
  return content.kind === "chunks" ? content.chunks.length : 0;
}

async function contentOf(world: FilerWorld): Promise<Buffer> {
  return Buffer.from(must(await read(world, "log")));
}

/** Nothing is missing, counted wrongly or left over. */
async function expectSound(world: FilerWorld): Promise<void> {
  while ((await world.filer.collect({ graceMs: 0 })).hasMore) continue;
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
}

test("a thousand small appends to a large file move little more than themselves", async () => {
  using world = await openTreeWorld();
  const large = noise(50 * MIB);
  await write(world, "log", pieces(large, MIB));
  let writtenBytes = 0;
  const { volumes } = world;
  const before = volumes.append.bind(volumes);
  volumes.append = (fid, data) => {
    writtenBytes += data.length;
    return before(fid, data);
  };
  const readBefore = volumes.readCount;
  const line = noise(KIB);
  for (let at = 0; at < 1000; at++) await append(world, line);
  // Each byte once, and once more when its chunk was joined with others.
  expect(writtenBytes).toBeLessThan(2.1 * MIB);
  expect(volumes.readCount - readBefore).toBeLessThanOrEqual(1000);
  const entry = must(await get(world, "log"));
  expect(entry.sizeBytes).toBe(51 * MIB - 24 * KIB);
  expect(chunkCount(entry)).toBeLessThan((50 * MIB) / CHUNK_SIZE_BYTES + 2 * JOINED_CHUNKS_MIN);
  const whole = await contentOf(world);
  expect(Buffer.compare(whole.subarray(0, large.length), large)).toBe(0);
  for (let at = large.length; at < whole.length; at += KIB) {
    expect(Buffer.compare(whole.subarray(at, at + KIB), line)).toBe(0);
  }
  await expectSound(world);
  expect(volumes.storedBytes).toBe(whole.length);
});

test("appends at the same time lose nothing", async () => {
  using world = await openTreeWorld();
  await append(world, noise(20 * KIB));
  const lines = Array.from({ length: 50 }, (_, at) => Buffer.from(`${String(at).padStart(3)}\n`));
  await Promise.all(lines.map((line) => append(world, line)));
  const found =
    (await contentOf(world))
      .subarray(20 * KIB)
      .toString()
      .match(/.{4}/gs) ?? [];
  expect(found.toSorted()).toEqual(lines.map(String).toSorted());
  await expectSound(world);
});

test("a writer elsewhere that changes the entry meanwhile is neither undone nor repeated", async () => {
  using world = await openTreeWorld();
  await append(world, Buffer.from("one"));
  let calls = 0;
  const { filer } = world;
  const put = filer.setEntryAttributes.bind(filer);
  let changing: Promise<unknown> = Promise.resolve();
  const entry = await append(world, Buffer.from(",two"), (_, before) => {
    if (++calls === 1) changing = put(TREE, pathOf("log"), { attributes: { colour: "red" } });
    return { attributes: must(before).attributes };
  });
  await changing;
  expect([calls, entry.attributes]).toEqual([2, { colour: "red" }]);
  expect(String(await contentOf(world))).toBe("one,two");
  await expectSound(world);
  expect(world.volumes.needleCount).toBe(2);
});

test("what a snapshot holds stays as it was, and the entry goes on", async () => {
  using world = await openTreeWorld();
  await append(world, Buffer.from("one"));
  await world.filer.createSnapshot(TREE, "then");
  await append(world, Buffer.from(",two"));
  await append(world, Buffer.from(",three"));
  expect(String(await contentOf(world))).toBe("one,two,three");
  const kept = await world.filer.getSnapshotEntry(TREE, "then", pathOf("log"));
  if (kept.kind === "refused") throw new Error(kept.refusal);
  const then = await collectBytes(world.filer.readFile(kept.value), kept.value.sizeBytes);
  expect(String(Buffer.from(must(then)))).toBe("one");
  await expectSound(world);
  await world.filer.deleteSnapshot(TREE, "then");
  while (await world.filer.collect({ graceMs: 0 }).then(({ hasMore }) => hasMore)) continue;
  await expectSound(world);
  expect(world.volumes.storedBytes).toBe(13);
});

test("inline content becomes chunks with what is added", async () => {
  using world = await openTreeWorld();
  await write(world, "log", Buffer.from("inline"));
  await append(world, Buffer.from("+chunk"));
  expect(String(await contentOf(world))).toBe("inline+chunk");
  await expectSound(world);
});

test("a refused or failing append leaves the entry and nothing else", async () => {
  using world = await openTreeWorld();
  const before = await append(world, noise(KIB));
  const failing = append(world, noise(KIB), () => {
    throw new Error("not so");
  });
  expect(await failing.catch(String)).toBe("Error: not so");
  await world.filer.setQuota(TREE, { bytes: KIB + 1 });
  expect(await append(world, noise(KIB)).catch(String)).toBe('Error: "quota-exceeded"');
  await world.filer.setQuota(TREE, { bytes: null });
  world.volumes.beforeAppend = () => {
    throw new Error("no volume");
  };
  expect(await append(world, noise(KIB)).catch((error: Error) => error.name)).toBe("FilerError");
  expect(await get(world, "log")).toEqual(before);
  expect(world.volumes.needleCount).toBe(1);
  await expectSound(world);
});

test("lists that grow long go into manifests, and all is freed with the entry", async () => {
  using world = await openTreeWorld({ lists: { recordsMax: 3, manifestRecordsMax: 4 } });
  const expected: Buffer[] = [];
  for (let at = 0; at < 2 * JOINED_CHUNKS_MIN; at++) {
    const line = Buffer.from(`${at};`);
    expected.push(line);
    expect(chunkCount(await append(world, line))).toBeLessThanOrEqual(3);
  }
  expect(String(await contentOf(world))).toBe(String(Buffer.concat(expected)));
  await expectSound(world);
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("log") });
  await expectSound(world);
  expect(world.volumes.needleCount).toBe(0);
});

test("sealed files grow as others do", async () => {
  using world = await openSealedWorld();
  await world.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
  const expected = Buffer.concat(
    Array.from({ length: JOINED_CHUNKS_MIN + 3 }, (_, at) => Buffer.from(`${at};`)),
  );
  for (const line of String(expected).match(/\d+;/g) ?? []) await append(world, Buffer.from(line));
  expect(String(await contentOf(world))).toBe(String(expected));
  await expectSound(world);
});

test("the ETag is that of an upload of the pieces, and another for each", async () => {
  using world = await openTreeWorld();
  const md5 = (bytes: Uint8Array): Uint8Array => systemHashes.digest("md5", bytes);
  const [one, two] = [Buffer.from("one"), Buffer.from("two")];
  expect((await append(world, one)).etag).toBe(Buffer.from(md5(one)).toString("hex"));
  const joined = Buffer.from(md5(Buffer.concat([md5(one), md5(two)]))).toString("hex");
  expect((await append(world, two)).etag).toBe(`${joined}-2`);
  expect((await append(world, two)).etag).toMatch(/^[0-9a-f]{32}-3$/);
});

test("an append of nothing changes nothing but the date", async () => {
  using world = await openTreeWorld();
  await append(world, Buffer.from("one"));
  const entry = await append(world, new Uint8Array(0));
  expect([entry.sizeBytes, chunkCount(entry)]).toEqual([3, 1]);
  await expectSound(world);
});
