import { expect, test } from "bun:test";
import { type CompleteUpload, PART_NUMBER_MAX, type UploadId } from "@kelp/wire";
import {
  type FilerWorld,
  TREE,
  codeOf,
  get,
  noise,
  openSealedWorld,
  openTreeWorld,
  pathOf,
  read,
  write,
} from "./testing/index.ts";

const MIB = 1024 * 1024;

async function begin(world: FilerWorld, path: string): Promise<UploadId> {
  const request = { tree: TREE, path: pathOf(path), owner: "ada", attributes: { colour: "red" } };
  const result = await world.filer.createUpload(request);
  if (result.kind === "refused") throw new Error(result.refusal);
  return result.value.id;
}

/** Writes a part and returns what a completion names it by. */
async function part(
  world: FilerWorld,
  id: UploadId,
  work: { readonly number: number; readonly body: Uint8Array },
): Promise<{ readonly number: number; readonly etag: string }> {
  const request = { tree: TREE, id, ...work, describe: () => ({ attributes: {} }) };
  const result = await world.filer.writePart(request);
  if (result.kind === "refused") throw new Error(result.refusal);
  return { number: result.value.number, etag: result.value.etag };
}

function completion(id: UploadId, parts: CompleteUpload["parts"]): CompleteUpload {
  return {
    tree: TREE,
    id,
    parts,
    partBytesMin: MIB,
    describe: (stored, upload) => ({
      etag: `whole-${stored.length}`,
      attributes: { ...upload.attributes, sizes: stored.map((one) => one.sizeBytes).join(" ") },
    }),
  };
}

test("parts become one entry in order, and replaced and unnamed parts are freed", async () => {
  using world = await openTreeWorld();
  await write(world, "a", noise(3 * MIB));
  const id = await begin(world, "a");
  const bodies = [noise(3 * MIB), noise(2 * MIB).toReversed(), noise(7)];
  const [first, second, third] = bodies;
  if (first === undefined || second === undefined || third === undefined) throw new Error();
  await part(world, id, { number: 1, body: noise(MIB) });
  const named = [
    await part(world, id, { number: 9, body: third }),
    await part(world, id, { number: 1, body: first }),
    await part(world, id, { number: 4, body: second }),
  ].sort((left, right) => left.number - right.number);
  await part(world, id, { number: 5, body: noise(MIB) });
  const result = await world.filer.completeUpload(completion(id, named));
  if (result.kind === "refused") throw new Error(JSON.stringify(result.refusal));
  expect(result.value.attributes).toEqual({ colour: "red", sizes: `${3 * MIB} ${2 * MIB} 7` });
  expect(result.value).toEqual(await get(world, "a"));
  expect(Buffer.compare((await read(world, "a")) ?? noise(1), Buffer.concat(bodies))).toBe(0);
  const usage = { bytes: 5 * MIB + 7, entries: 1, chunks: 4 };
  expect((await world.filer.getTree(TREE))?.usage).toEqual(usage);
  await world.filer.collect({ graceMs: 0 });
  expect(world.volumes.needleCount).toBe(4);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});

test("completing again with the same parts gives the same entry while it stands", async () => {
  using world = await openTreeWorld();
  const id = await begin(world, "a");
  const parts = [await part(world, id, { number: 1, body: noise(10) })];
  const once = await world.filer.completeUpload(completion(id, parts));
  expect(await world.filer.completeUpload(completion(id, parts))).toEqual(once);
  const other = completion(id, [{ number: 1, etag: "other" }]);
  expect(await world.filer.completeUpload(other)).toEqual({
    kind: "refused",
    refusal: "no-such-upload",
  });
  await write(world, "a", noise(1));
  expect((await world.filer.completeUpload(completion(id, parts))).kind).toBe("refused");
});

test("a completion refuses strange, unordered and small parts, and then the upload still stands", async () => {
  using world = await openTreeWorld();
  const id = await begin(world, "a");
  const small = await part(world, id, { number: 1, body: noise(10) });
  const large = await part(world, id, { number: 2, body: noise(MIB) });
  const refusalOf = async (parts: CompleteUpload["parts"]): Promise<unknown> => {
    const result = await world.filer.completeUpload(completion(id, parts));
    return result.kind === "refused" ? result.refusal : "ok";
  };
  expect(await refusalOf([{ number: 3, etag: "x" }])).toEqual({ kind: "invalid-part", number: 3 });
  expect(await refusalOf([{ number: 1, etag: "x" }])).toEqual({ kind: "invalid-part", number: 1 });
  expect(await refusalOf([large, small])).toEqual({ kind: "invalid-part", number: 1 });
  expect(await refusalOf([large, large])).toEqual({ kind: "invalid-part", number: 2 });
  expect(await refusalOf([small, large])).toEqual({
    kind: "part-too-small",
    number: 1,
    sizeBytes: 10,
  });
  expect(await refusalOf([large])).toBe("ok");
});

test("a completion whose description throws rejects alone, and the batch beside it commits", async () => {
  using world = await openTreeWorld();
  const id = await begin(world, "a");
  const parts = [await part(world, id, { number: 1, body: noise(10) })];
  const failure = new Error("no");
  const failing = world.filer.completeUpload({
    ...completion(id, parts),
    describe: () => {
      throw failure;
    },
  });
  const beside = write(world, "b", noise(1));
  expect(await codeOf(failing)).toBe(failure);
  expect((await beside).sizeBytes).toBe(1);
  expect((await world.filer.completeUpload(completion(id, parts))).kind).toBe("ok");
});

test("a condition that fails at completion leaves the upload", async () => {
  using world = await openTreeWorld();
  await write(world, "a", noise(1));
  const id = await begin(world, "a");
  const parts = [await part(world, id, { number: 1, body: noise(10) })];
  const request = { ...completion(id, parts), condition: { kind: "absent" } as const };
  expect(await world.filer.completeUpload(request)).toEqual({
    kind: "refused",
    refusal: { kind: "condition-failed", exists: true },
  });
  await world.filer.deleteEntry({ tree: TREE, path: pathOf("a") });
  expect((await world.filer.completeUpload(request)).kind).toBe("ok");
});

test("an upload of the most parts completes in one step", async () => {
  using world = await openTreeWorld();
  const id = await begin(world, "a");
  const numbers = Array.from({ length: PART_NUMBER_MAX }, (_, index) => index + 1);
  const body = noise(1);
  const parts = await Promise.all(numbers.map((number) => part(world, id, { number, body })));
  const request = { ...completion(id, parts), partBytesMin: 1 };
  const result = await world.filer.completeUpload(request);
  if (result.kind === "refused") throw new Error(JSON.stringify(result.refusal));
  expect(result.value.sizeBytes).toBe(PART_NUMBER_MAX);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});

test("an aborted upload frees its parts, also one that arrives while it goes away", async () => {
  using world = await openTreeWorld();
  const id = await begin(world, "a");
  await part(world, id, { number: 1, body: noise(3 * MIB) });
  const abort = (): Promise<unknown> => world.filer.abortUpload(TREE, id);
  world.volumes.beforeAppend = async () => void (await abort());
  const late = await world.filer.writePart({
    tree: TREE,
    id,
    number: 2,
    body: noise(10),
    describe: () => ({ attributes: {} }),
  });
  expect(late).toEqual({ kind: "refused", refusal: "no-such-upload" });
  expect((await world.filer.getTree(TREE))?.usage).toEqual({ bytes: 0, entries: 0, chunks: 0 });
  await world.filer.collect({ graceMs: 0 });
  expect(world.volumes.needleCount).toBe(0);
});

test("parts count against the quota", async () => {
  using world = await openTreeWorld();
  await world.filer.setQuota(TREE, { bytes: 2 * MIB });
  const id = await begin(world, "a");
  await part(world, id, { number: 1, body: noise(MIB) });
  await part(world, id, { number: 1, body: noise(2 * MIB) });
  expect(await codeOf(part(world, id, { number: 2, body: noise(1) }))).toEqual(
    new Error("quota-exceeded"),
  );
  expect(world.volumes.needleCount).toBe(2);
});

test("uploads are listed by path and time, with prefixes rolled up, page by page", async () => {
  using world = await openTreeWorld();
  const ids: string[] = [];
  for (const path of ["b", "a/1", "b", "a/2", "c"]) {
    world.clock.advance(1);
    ids.push(await begin(world, path));
  }
  const [first, , second, , last] = ids;
  const found: unknown[] = [];
  let next: { readonly path: string; readonly id: string } | undefined;
  do {
    const result = await world.filer.listUploads(TREE, {
      delimiter: "/",
      limit: 1,
      ...(next === undefined ? {} : { afterPath: next.path, afterId: next.id }),
    });
    if (result.kind === "refused") throw new Error(result.refusal);
    for (const item of result.value.items) {
      found.push(item.kind === "prefix" ? item.prefix : item.upload.id);
    }
    ({ next } = result.value);
  } while (next !== undefined);
  expect(found).toEqual(["a/", first, second, last]);
  const behind = await world.filer.listUploads(TREE, { afterPath: "b", limit: 10 });
  expect(behind.kind === "ok" ? behind.value.items.length : 0).toBe(1);
});

test("parts are listed in order, from a number on", async () => {
  using world = await openTreeWorld();
  const id = await begin(world, "a");
  for (const number of [3, 1, 2]) await part(world, id, { number, body: noise(number) });
  const result = await world.filer.listParts(TREE, id, { afterNumber: 1, limit: 1 });
  if (result.kind === "refused") throw new Error(result.refusal);
  expect(result.value.parts.map(({ number }) => number)).toEqual([2]);
  expect(result.value.isTruncated).toBe(true);
});

async function openSealedTree(): Promise<FilerWorld> {
  const world = await openSealedWorld();
  await world.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
  return world;
}

test.each(["plain", "sealed"] as const)(
  "an entry of parts ends when its description says, and its parts are freed (%s)",
  async (kind) => {
    using world = kind === "plain" ? await openTreeWorld() : await openSealedTree();
    const expiresMs = world.clock.nowMs() + 5000;
    const made = await world.filer.createUpload({
      tree: TREE,
      path: pathOf("brief"),
      owner: "ada",
      attributes: { expires: `${expiresMs}` },
    });
    if (made.kind === "refused") throw new Error(made.refusal);
    const { id } = made.value;
    const named = [
      await part(world, id, { number: 1, body: noise(2 * MIB) }),
      await part(world, id, { number: 2, body: noise(7) }),
    ];
    const request: CompleteUpload = {
      ...completion(id, named),
      describe: (_parts, { attributes }) => ({
        etag: "whole",
        attributes: {},
        expiresMs: Number(attributes["expires"]),
      }),
    };
    const completed = await world.filer.completeUpload(request);
    expect(completed).toMatchObject({ kind: "ok", value: { expiresMs } });
    expect((await get(world, "brief"))?.expiresMs).toBe(expiresMs);
    expect(await world.filer.completeUpload(request)).toEqual(completed);
    world.clock.advance(4999);
    expect((await read(world, "brief"))?.length).toBe(2 * MIB + 7);
    world.clock.advance(1);
    expect(await world.filer.getEntry(TREE, pathOf("brief"))).toEqual({
      kind: "refused",
      refusal: "no-such-entry",
    });
    expect(await world.filer.completeUpload(request)).toEqual({
      kind: "refused",
      refusal: "no-such-upload",
    });
    while ((await world.filer.collect({ graceMs: 0 })).hasMore) continue;
    expect(world.volumes.needleCount).toBe(0);
    expect((await world.filer.getTree(TREE))?.usage).toEqual({ bytes: 0, entries: 0, chunks: 0 });
  },
);
