import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { INDEX_ENTRY_BYTES, writeIndexEntry } from "../index/index-entry.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { SortedIndex } from "./sorted-index.ts";

interface Row {
  readonly idHigh: number;
  readonly idLow: number;
  readonly offsetBytes: number;
  readonly bodyBytes: number;
}

function bytesOf(rows: readonly Row[]): Buffer {
  const bytes = Buffer.alloc(rows.length * INDEX_ENTRY_BYTES);
  for (const [index, row] of rows.entries()) writeIndexEntry(bytes, index * INDEX_ENTRY_BYTES, row);
  return bytes;
}

/** Ids that differ in either half; enough for several steps. */
const ROWS: readonly Row[] = Array.from({ length: 1000 }, (_row, index) => ({
  idHigh: Math.floor(index / 400),
  idLow: (index % 400) * 3 + 1,
  offsetBytes: 8 + (999 - index) * 48,
  bodyBytes: 10,
}));

async function openBytes(folder: string, bytes: Uint8Array): Promise<SortedIndex> {
  const path = `${folder}/1.ecx`;
  writeFileSync(path, bytes);
  const file = await systemDisk.open(path, { access: "read" });
  try {
    return await SortedIndex.open(file, systemHashes);
  } catch (error) {
    await file.close();
    throw error;
  }
}

test("every id is found where it is, and none that is not there", async () => {
  using folder = temporaryFolder();
  const index = await openBytes(folder.path, bytesOf(ROWS));
  for (const { idHigh, idLow, offsetBytes, bodyBytes } of ROWS) {
    expect(index.find(idHigh, idLow)).toMatchObject({ offsetBytes, bodyBytes });
    expect(index.find(idHigh, idLow + 1)).toBeUndefined();
  }
  expect([index.find(0, 0), index.find(9, 1)]).toEqual([undefined, undefined]);
  expect(index.liveCount).toBe(1000);
  expect(index.needleIdMax).toBe((2n << 32n) | BigInt(199 * 3 + 1));
  expect(index.endBytes).toBe(8 + 999 * 48 + 40);
  const units = await index.liveOffsetUnits();
  expect([...units]).toEqual(ROWS.map((_row, at) => (8 + at * 48) / 8));
  await index.close();
});

test("a masked needle is not found, and is counted once", async () => {
  using folder = temporaryFolder();
  const index = await openBytes(folder.path, bytesOf(ROWS));
  expect([index.mask(0, 4), index.mask(0, 4), index.mask(0, 5)]).toEqual([true, false, false]);
  expect(index.find(0, 4)).toBeUndefined();
  expect(index.find(0, 7)).toBeDefined();
  expect([index.liveCount, index.removedCount]).toEqual([999, 1]);
  await index.close();
});

test("entries that another program marked as removed are so", async () => {
  using folder = temporaryFolder();
  const rows = ROWS.map((row, at) => (at === 5 ? { ...row, bodyBytes: -1 } : row));
  const index = await openBytes(folder.path, bytesOf(rows));
  expect(index.find(0, 16)).toBeUndefined();
  expect([index.liveCount, index.removedCount]).toEqual([999, 1]);
  await index.close();
});

test("an empty index finds nothing", async () => {
  using folder = temporaryFolder();
  const index = await openBytes(folder.path, Buffer.alloc(0));
  expect([index.find(0, 1), index.liveCount, index.needleIdMax]).toEqual([undefined, 0, 0n]);
  await index.close();
});

test.each([
  ["ends inside an entry", bytesOf(ROWS).subarray(0, 40)],
  ["is not in order", bytesOf([...ROWS.slice(0, 300), ...ROWS.slice(299, 400)])],
  ["has id 0", Buffer.alloc(16)],
])("an index that %s is refused", async (_name, bytes) => {
  using folder = temporaryFolder();
  expect(await codeOf(openBytes(folder.path, bytes))).toBe("index-corrupt");
});
