import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { DiskError } from "../disk.ts";
import { temporaryFolder } from "../testing/index.ts";
import { systemDisk } from "./disk.ts";

const KIB = 1024;

// Small writes stay in the thread, large ones go to the pool, many parts take several system calls.
test.each([
  ["no part", []],
  ["one small part", [10]],
  ["empty parts between others", [0, 5, 0, 0, 7, 0]],
  ["small parts", [1, 2, 3, 4096]],
  ["large parts", [300 * KIB, 1, 700 * KIB]],
  ["more parts than one system call takes", Array.from({ length: 2500 }, () => 3)],
  ["many parts that are large together", Array.from({ length: 1500 }, () => 1000)],
] as const)("writeAt writes %s one after another", async (_name, sizes) => {
  using folder = temporaryFolder();
  const path = `${folder.path}/file`;
  const parts = sizes.map((size, index) => new Uint8Array(size).fill(index + 1));
  {
    await using file = await systemDisk.open(path, { access: "read-write", create: true });
    await file.writeAt(parts, 0);
    await file.writeAt([Uint8Array.of(255)], 2_000_000);
  }
  const expected = Buffer.alloc(2_000_001);
  Buffer.concat(parts).copy(expected);
  expected[2_000_000] = 255;
  expect(readFileSync(path).equals(expected)).toBe(true);
});

test("a read past the end returns what there is", async () => {
  using folder = temporaryFolder();
  await using file = await systemDisk.open(`${folder.path}/file`, {
    access: "read-write",
    create: true,
  });
  await file.writeAt([Uint8Array.of(1, 2, 3)], 0);
  expect(await file.readAt(new Uint8Array(10), 1)).toBe(2);
  expect(file.readAtSync(new Uint8Array(10), 1)).toBe(2);
  expect(await file.readAt(new Uint8Array(10), 100)).toBe(0);
});

test.each([10, 1_000_000])(
  "writing %i bytes to a file open for reading is refused",
  async (size) => {
    using folder = temporaryFolder();
    const path = `${folder.path}/file`;
    await systemDisk.writeWhole(path, Uint8Array.of(1));
    await using file = await systemDisk.open(path, { access: "read" });
    const failure = file.writeAt([new Uint8Array(size)], 0);
    expect(failure).rejects.toBeInstanceOf(DiskError);
    expect(failure).rejects.toMatchObject({ code: "EBADF", path });
  },
);
