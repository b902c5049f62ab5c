import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { systemHashes } from "@kelp/base/platform";
import { codeOf } from "../testing/volume-client-contract.ts";
import { VolumeWorld, content, fid } from "../testing/volume-world.ts";

const SIZE = 300_000;

test("a needle is given out to whoever knows its hash, and refused to who knows another", async () => {
  using world = new VolumeWorld();
  await world.appendAll([SIZE]);
  await using store = await world.open();
  const hash64 = systemHashes.xxh3(content(1, SIZE));
  expect(Buffer.from((await store.read(fid(1), undefined, hash64)) ?? [])).toEqual(
    Buffer.from(content(1, SIZE)),
  );
  expect(await codeOf(store.read(fid(1), undefined, hash64 ^ 1n))).toBe("needle-corrupt");
});

test("a changed bit is found by the hash as by the checksum", async () => {
  using world = new VolumeWorld();
  await world.appendAll([SIZE]);
  const bytes = readFileSync(world.dataPath);
  // In the middle of the data.
  bytes[150_000] = (bytes[150_000] ?? 0) ^ 0x10;
  writeFileSync(world.dataPath, bytes);
  await using store = await world.open();
  const hash64 = systemHashes.xxh3(content(1, SIZE));
  expect(await codeOf(store.read(fid(1), undefined, hash64))).toBe("needle-corrupt");
  expect(await codeOf(store.read(fid(1)))).toBe("needle-corrupt");
});
