import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { DiskError } from "../disk.ts";
import { temporaryFolder } from "../testing/index.ts";
import { DirectFile } from "./direct-file.ts";
import { diskWith } from "./disk.ts";
import { UnwrittenParts } from "./unwritten-parts.ts";

/** All bulk goes past the page cache. */
const disk = diskWith({ take: () => false });
const MIB = 1024 * 1024;
const PAGE = 4096;

test("past the page cache go whole pages, as many as there are", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/file`;
  await using file = await disk.open(path, { access: "read-write", create: true });
  using open = descriptorOf(path);
  const direct = new DirectFile(open.fd);
  const content = randomBytes(3 * PAGE + 100);
  const count = await direct.write(new UnwrittenParts([content]), PAGE);
  await direct.close();
  // This is to run where the file system can: what it does where none can, the next tests show.
  expect(count).toBe(3 * PAGE);
  const read = Buffer.alloc(5 * PAGE);
  expect(await file.readAt(read, 0)).toBe(4 * PAGE);
  expect(read.subarray(PAGE, 4 * PAGE).equals(content.subarray(0, 3 * PAGE))).toBe(true);
});

test("what the file system refuses is written by none, and is not asked for again", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/file`;
  await disk.writeWhole(path, new Uint8Array(PAGE));
  using open = descriptorOf(path);
  const direct = new DirectFile(open.fd);
  const ones = new UnwrittenParts([new Uint8Array(2 * PAGE).fill(1)]);
  // No file system can begin there. Several at once: none is to find the file closed by another.
  const writes = Array.from({ length: 8 }, () => direct.write(ones, 100));
  expect(new Set(await Promise.all(writes))).toEqual(new Set([undefined]));
  expect(await direct.write(ones, 0)).toBeUndefined();
  await direct.close();
  expect(readFileSync(path).equals(Buffer.alloc(PAGE))).toBe(true);
});

// Beginnings and ends on pages and off them, parts that end within pages, several of the largest memories.
test.each([
  [0, [2 * MIB]],
  [0, [2 * MIB + 1]],
  [8, [20, 2 * MIB, 28]],
  [PAGE - 8, [20, 2 * MIB, 28]],
  [PAGE, [20, 2 * MIB - 20 + PAGE]],
  [5000, [1, 300_000, 2 * MIB, 28, 20, 2 * MIB, 28, 40]],
  [123_456, [11 * MIB + 7]],
])("a large write at %i of %p is what is read, and what was around it stays", async (at, sizes) => {
  using folder = temporaryFolder();
  await writeAndCompare(folder.path, at, sizes);
});

test("a file system in memory takes large writes, whatever it can", async () => {
  if (!existsSync("/dev/shm")) return;
  const path = mkdtempSync("/dev/shm/kelp-test-");
  try {
    await writeAndCompare(path, 5000, [20, 2 * MIB, 28]);
  } finally {
    rmSync(path, { recursive: true });
  }
});

test("large writes go to the file that was opened, whatever its name is by now", async () => {
  using folder = temporaryFolder();
  const [path, moved] = [`${folder.path}/file`, `${folder.path}/moved`];
  const content = randomBytes(2 * MIB);
  {
    await using file = await disk.open(path, { access: "read-write", create: true });
    renameSync(path, moved);
    await using other = await disk.open(path, { access: "read-write", create: true });
    await file.writeAt([content], 0);
    await other.writeAt([Uint8Array.of(1)], 0);
  }
  expect(readFileSync(moved).equals(content)).toBe(true);
  expect(readFileSync(path)).toHaveLength(1);
});

test("more large writes than there is memory for take turns", async () => {
  using folder = temporaryFolder();
  const contents = Array.from({ length: 12 }, () => randomBytes(2 * MIB + PAGE + 9));
  await using file = await disk.open(`${folder.path}/file`, {
    access: "read-write",
    create: true,
  });
  await Promise.all(contents.map((content, index) => file.writeAt([content], index * 3 * MIB)));
  for (const [index, content] of contents.entries()) {
    const read = Buffer.alloc(content.length);
    await file.readAt(read, index * 3 * MIB);
    expect(read.equals(content)).toBe(true);
  }
});

test.each([true, false])("the cache is asked about bulk alone: %p", async (isForCache) => {
  using folder = temporaryFolder();
  const path = `${folder.path}/file`;
  const asked: number[] = [];
  const asking = diskWith({
    take(sizeBytes) {
      asked.push(sizeBytes);
      return isForCache;
    },
  });
  const content = randomBytes(2 * MIB + 1);
  {
    await using file = await asking.open(path, { access: "read-write", create: true });
    await file.writeAt([content.subarray(0, MIB), content.subarray(MIB, 2 * MIB)], 0);
    await file.writeAt([content], 0);
  }
  expect(asked).toEqual([content.length]);
  expect(readFileSync(path).equals(content)).toBe(true);
});

test("a large write to a file open for reading is refused", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/file`;
  await disk.writeWhole(path, Uint8Array.of(1));
  await using file = await disk.open(path, { access: "read" });
  const failure = file.writeAt([new Uint8Array(3 * MIB)], 0);
  expect(failure).rejects.toBeInstanceOf(DiskError);
  expect(failure).rejects.toMatchObject({ code: "EBADF", path });
  await failure.catch(() => undefined);
  expect(readFileSync(path)).toHaveLength(1);
});

async function writeAndCompare(
  folder: string,
  at: number,
  sizes: readonly number[],
): Promise<void> {
  const path = `${folder}/file`;
  const parts = sizes.map((size) => randomBytes(size));
  const end = at + sizes.reduce((sum, size) => sum + size, 0);
  const expected = randomBytes(end + 10_000);
  {
    await using file = await disk.open(path, { access: "read-write", create: true });
    // In the page cache, and not yet on the disk.
    for (let start = 0; start < expected.length; start += 100_000) {
      await file.writeAt([expected.subarray(start, start + 100_000)], start);
    }
    await file.writeAt(parts, at);
    Buffer.concat(parts).copy(expected, at);
    const read = Buffer.alloc(expected.length);
    await file.readAt(read, 0);
    expect(read.equals(expected)).toBe(true);
    await file.sync();
  }
  expect(readFileSync(path).equals(expected)).toBe(true);
}

function descriptorOf(path: string): Disposable & { readonly fd: number } {
  const fd = openSync(path, "r+");
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}
