import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { openVolumeStore } from "@kelp/volume";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import { runProgram } from "../harness/programs.ts";
import { checkVolumeFolder } from "./index.ts";

const ONE = volumeId(1);
const SIZES = [1, 7, 8, 100, 0, 5000, 3, 70_000, 12];

function fid(id: number): Fid {
  return { volumeId: ONE, needleId: needleId(BigInt(id)), cookie: 0x1000_0000 + id };
}

function content(id: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (id * 31 + index * 7 + 1) & 0xff);
}

/** Writes needles of all sizes, replaces one and removes another, over two openings. */
async function writeFolder(folder: string): Promise<void> {
  const options = { disk: systemDisk, clock: systemClock, hashes: systemHashes, log: silentLog };
  {
    await using store = await openVolumeStore({ ...options, folder });
    await store.createVolume(ONE, { collection: "" });
    await Promise.all(
      SIZES.map((size, index) => store.append(fid(index + 1), content(index, size))),
    );
  }
  await using store = await openVolumeStore({ ...options, folder });
  await store.append(fid(2), content(99, 50));
  await store.remove([fid(3)]);
}

test("a folder written by Kelp holds every needle, byte for byte, and nothing is wrong with it", async () => {
  using folder = temporaryFolder();
  await writeFolder(folder.path);
  const found = new Map<bigint, string>();
  const report = checkVolumeFolder(folder.path, (_, record) => {
    found.set(record.id, Buffer.from(record.data).toString("hex"));
  });
  expect(report).toEqual({
    problems: [],
    volumeCount: 1,
    recordCount: SIZES.length + 2,
    liveCount: SIZES.length - 1,
  });
  for (const [index, size] of SIZES.entries()) {
    const id = index + 1;
    if (id === 3) continue;
    const expected = id === 2 ? content(99, 50) : content(index, size);
    expect(found.get(BigInt(id))).toBe(Buffer.from(expected).toString("hex"));
  }
});

/** Records begin behind the superblock; the first has 1 byte of data, so it takes 40 bytes. */
const DAMAGE: Readonly<Record<string, (folder: string) => void>> = {
  "an unknown version": (folder) => flip(folder, "1.dat", 0, 8),
  "a lifetime of an unknown unit": (folder) => flip(folder, "1.dat", 3, 0x80),
  "an extra field that is no multiple of 8": (folder) => flip(folder, "1.dat", 7, 1),
  "another needle id": (folder) => flip(folder, "1.dat", 8 + 11, 0x40),
  "another size": (folder) => flip(folder, "1.dat", 8 + 15, 1),
  "another data size": (folder) => flip(folder, "1.dat", 8 + 19, 1),
  "a bit of the data": (folder) => flip(folder, "1.dat", 8 + 20, 1),
  "a flag that announces a name": (folder) => flip(folder, "1.dat", 8 + 21, 0x02),
  "a bit of the checksum": (folder) => flip(folder, "1.dat", 8 + 22, 1),
  "a record older than the one before": (folder) => flip(folder, "1.dat", 8 + 26, 0x40),
  "a bit of the padding": (folder) => flip(folder, "1.dat", 8 + 39, 1),
  "a torn last record": (folder) =>
    truncateSync(join(folder, "1.dat"), sizeOf(folder, "1.dat") - 9),
  "bytes behind the last record": (folder) =>
    writeFileSync(join(folder, "1.dat"), Buffer.alloc(10), { flag: "a" }),
  "no index": (folder) => rmSync(join(folder, "1.idx")),
  "a torn index": (folder) => truncateSync(join(folder, "1.idx"), sizeOf(folder, "1.idx") - 1),
  "an index that lacks its last entry": (folder) =>
    truncateSync(join(folder, "1.idx"), sizeOf(folder, "1.idx") - 16),
  "an index with another offset": (folder) => flip(folder, "1.idx", 11, 2),
  "an index with another size": (folder) => flip(folder, "1.idx", 15, 4),
  "an index with another needle": (folder) => flip(folder, "1.idx", 7, 0x40),
  "an info file of another version": (folder) =>
    writeFileSync(join(folder, "1.vif"), JSON.stringify({ version: 2 })),
};

for (const [what, damage] of Object.entries(DAMAGE)) {
  test(`it complains of ${what}`, async () => {
    using folder = temporaryFolder();
    await writeFolder(folder.path);
    damage(folder.path);
    expect(checkVolumeFolder(folder.path).problems).not.toEqual([]);
  });
}

test("as a program it ends with status 1 when something is wrong", async () => {
  using folder = temporaryFolder();
  await writeFolder(folder.path);
  const script = join(import.meta.dirname, "main.ts");
  const good = await runProgram(process.execPath, [script, folder.path]);
  expect([good.status, good.stdout]).toEqual([
    0,
    "1 volumes, 11 records, 8 live needles: 0 problems\n",
  ]);
  flip(folder.path, "1.dat", 8 + 20, 1);
  const bad = await runProgram(process.execPath, [script, folder.path]);
  expect(bad.status).toBe(1);
  expect(bad.stdout).toContain("1: at 8: checksum");
});

const FIXTURE = join(import.meta.dirname, "..", "fixtures", "seaweedfs", "volumes.tar.gz");

describe.skipIf(!existsSync(FIXTURE))("a folder that SeaweedFS wrote", () => {
  test("nothing is wrong with it, its shards and their parity included", async () => {
    using folder = temporaryFolder();
    await unpack(folder.path);
    const { problems, volumeCount } = checkVolumeFolder(folder.path);
    expect({ problems, volumeCount }).toEqual({ problems: [], volumeCount: 35 });
  });

  test("a bit of a shard, of the parity, of the sums or of the sorted index is found", async () => {
    using folder = temporaryFolder();
    await unpack(folder.path);
    const names = ["ec_22.ec04", "ec_22.ec13", "ec_22.ecsum", "ec_22.ecx"];
    for (const name of names) {
      const offset = Math.floor(sizeOf(folder.path, name) / 2);
      flip(folder.path, name, offset, 1);
      expect(checkVolumeFolder(folder.path).problems.length).toBeGreaterThan(0);
      flip(folder.path, name, offset, 1);
    }
  }, 60_000);
});

async function unpack(folder: string): Promise<void> {
  const { status } = await runProgram("tar", ["xzf", FIXTURE, "-C", folder]);
  expect(status).toBe(0);
}

function sizeOf(folder: string, name: string): number {
  return readFileSync(join(folder, name)).length;
}

function flip(folder: string, name: string, offset: number, mask: number): void {
  const path = join(folder, name);
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ mask;
  writeFileSync(path, bytes);
}
