import { expect, test } from "bun:test";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { type Disk, silentLog } from "@kelp/base";
import { systemDisk, systemHashes } from "@kelp/base/platform";
import { FaultyDisk, temporaryFolder } from "@kelp/base/testing";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import { type VolumeStore, openVolumeStore } from "../store/volume-store.ts";
import { clockAt } from "../testing/fixed-clock.ts";
import { writeHandWrittenFolder } from "../testing/hand-written-folder.ts";
import { type StepFault, SteppingDisk } from "../testing/stepping-disk.ts";
import { codeOf } from "../testing/volume-client-contract.ts";

// Volumes of version 1 and 2, written by hand, and what a vacuum makes of them, computed by hand.

const NOW_MS = 1_728_000_000_000;
const DAY_MS = 24 * 3600 * 1000;
const FAST = { bytesPerSec: Number.POSITIVE_INFINITY };
const V1 = volumeId(1);
const V2 = volumeId(2);

const GOLDEN_V1 = `
  03 00 0000 0001 0000                                    # version 3, vacuumed once
  77777777 0000000000000007 0000000e                      # at 8: body of 4 + 9 + 1
  00000009 313233343536373839 00
  c78ab0e5 17fb16d83be00000 0000000e0000                  # the older checksum; now; 42 bytes and 6
  88888888 0000000000000008 00000025                      # at 56: body of 4 + 32 + 1
  00000020 0000000000000000000000000000000000000000000000000000000000000000 00
  8a9136aa 17fb16d83be00001 00000025000000`;
const GOLDEN_V2 = `
  03 01 0000 0002 0008 0a06080210041807                   # vacuumed once more, the extra field kept
  55555555 0000000000000005 00000015                      # at 16: the body as it was
  00000009 313233343536373839 0a 01 61 0065000000
  e3069283 178411b200000000 00000015000000                # as it was modified; 49 bytes and 7`;

function bytesOf(hexText: string): Buffer {
  return Buffer.from(hexText.replaceAll(/#.*|\s/g, ""), "hex");
}

function openAt(folder: string, disk: Disk = systemDisk, clock = clockAt(NOW_MS)) {
  const log = silentLog;
  return openVolumeStore({ disk, clock, hashes: systemHashes, log, folder });
}

function fid(volume: number, needle: number, digit: number): Fid {
  const cookie = (digit * 0x1111_1111) >>> 0;
  return { volumeId: volumeId(volume), needleId: needleId(BigInt(needle)), cookie };
}

const ALL = [fid(1, 7, 7), fid(1, 8, 8), fid(2, 5, 5), fid(2, 6, 6)];

async function contents(store: VolumeStore) {
  const found: unknown[] = [];
  for (const address of ALL) {
    const needle = await store.readNeedle(address);
    // It had none before.
    found.push(needle === undefined ? undefined : { ...needle, appendedNs: 0n });
  }
  return found;
}

test.each([
  ["1", V1, GOLDEN_V1, "0000000000000007000000010000000e00000000000000080000000700000025"],
  // The highest id stays known as removed.
  ["2", V2, GOLDEN_V2, "00000000000000050000000200000015000000000000000600000000ffffffff"],
])(
  "a vacuum makes a volume of version 3 of one of version %s, byte for byte as the format says",
  async (_name, id, data, index) => {
    using folder = temporaryFolder();
    writeHandWrittenFolder(folder.path);
    const path = `${folder.path}/old_${id}`;
    const before = readFileSync(`${path}.dat`).length;
    await using store = await openAt(folder.path);
    const earlier = await contents(store);
    const states: string[] = [];
    using _watch = store.watchStates((change) => states.push(`${change.id} ${change.state}`));
    const golden = bytesOf(data);
    expect(await store.vacuum(id, FAST)).toEqual({
      bytesBefore: before,
      bytesAfter: golden.length,
      liveCount: id === V1 ? 2 : 1,
      damaged: [],
    });
    expect(readFileSync(`${path}.dat`).toString("hex")).toBe(golden.toString("hex"));
    expect(readFileSync(`${path}.idx`).toString("hex")).toBe(index);
    expect(states).toEqual([`${id} writable`]);
    expect(await contents(store)).toEqual(earlier);
    const volumes = await store.volumes();
    expect(volumes.find((each) => each.id === id)).toMatchObject({ version: 3, state: "writable" });
  },
);

test("a rewritten volume takes needles and removals, and is the same after reopening", async () => {
  using folder = temporaryFolder();
  writeHandWrittenFolder(folder.path);
  writeFileSync(`${folder.path}/old_2.vif`, '{"version": 2, "replication": "001"}');
  const added = fid(2, 9, 9);
  {
    await using store = await openAt(folder.path);
    expect(await codeOf(store.append(added, Buffer.from("new")))).toBe("read-only");
    await store.vacuum(V2, FAST);
    await store.append(added, Buffer.from("new"));
    await store.remove([fid(2, 5, 5)]);
    await store.vacuum(V2, FAST);
  }
  expect(JSON.parse(readFileSync(`${folder.path}/old_2.vif`, "utf8"))).toMatchObject({
    version: 3,
    replication: "001",
  });
  await using store = await openAt(folder.path);
  expect(Buffer.from((await store.read(added)) ?? []).toString()).toBe("new");
  expect(await store.read(fid(2, 5, 5))).toBeUndefined();
});

test("a volume that is marked read-only stays so, whatever its version", async () => {
  using folder = temporaryFolder();
  writeHandWrittenFolder(folder.path);
  writeFileSync(`${folder.path}/old_1.vif`, '{"readOnly": true}');
  await using store = await openAt(folder.path);
  await store.vacuum(V1, FAST);
  expect(await codeOf(store.append(fid(1, 9, 9), Buffer.from("new")))).toBe("read-only");
});

// Body of 4 + 1 + 3 or 8: "a", flags, perhaps the date of its modification, a lifetime of a day.
test.each([
  ["whose modification is known counts from that", "18 0065000000 0103", 0x6500_0000 * 1000],
  ["whose modification is unknown begins when it is rewritten", "10 0103", NOW_MS],
  ["that was modified in the future begins when it is rewritten", "18 ffffffffff 0103", NOW_MS],
])("the lifetime of a needle %s", async (_name, fields, startMs) => {
  using folder = temporaryFolder();
  const body = bytesOf(`00000001 61 ${fields}`);
  const unpadded = Buffer.concat([
    bytesOf("02 00 0000 0000 0000 55555555 0000000000000005"),
    Buffer.from([0, 0, 0, body.length]),
    body,
    bytesOf("c1d04330"),
  ]);
  const padding = Buffer.alloc(8 - (unpadded.length % 8));
  writeFileSync(`${folder.path}/2.dat`, Buffer.concat([unpadded, padding]));
  const clock = clockAt(NOW_MS);
  await using store = await openAt(folder.path, systemDisk, clock);
  await store.vacuum(V2, FAST);
  clock.ms = startMs + DAY_MS;
  expect((await store.read(fid(2, 5, 5)))?.length).toBe(1);
  clock.ms += 1;
  expect(await store.read(fid(2, 5, 5))).toBeUndefined();
});

test.each([
  [V1, 8 + 16 + 3, fid(1, 7, 7)],
  [V2, 16 + 20 + 3, fid(2, 5, 5)],
])("a damaged needle of volume %i is carried over, and still is", async (id, at, address) => {
  using folder = temporaryFolder();
  writeHandWrittenFolder(folder.path);
  const path = `${folder.path}/old_${id}.dat`;
  const data = readFileSync(path);
  writeFileSync(path, data.fill(0x5a, at, at + 1));
  await using store = await openAt(folder.path);
  const what = address.needleId.toString(16);
  expect((await store.vacuum(id, FAST)).damaged).toMatchObject([{ volumeId: id, what }]);
  expect(store.quarantined()).toMatchObject([{ volumeId: id, what }]);
  expect(await codeOf(store.read(address))).toBe("needle-corrupt");
});

test("a record whose header is damaged ends the rewriting, which touches nothing", async () => {
  using folder = temporaryFolder();
  writeHandWrittenFolder(folder.path);
  const path = `${folder.path}/old_2.dat`;
  const data = readFileSync(path);
  writeFileSync(path, data.fill(0x5a, 16 + 11, 16 + 12));
  await using store = await openAt(folder.path);
  expect(await codeOf(store.vacuum(V2, FAST))).toBe("needle-corrupt");
  expect(readFileSync(path)).toEqual(data);
  expect(readdirSync(folder.path).filter((name) => /\.cp.$/.test(name))).toEqual([]);
});

test("without space a rewriting does not begin", async () => {
  using folder = temporaryFolder();
  writeHandWrittenFolder(folder.path);
  const disk = new FaultyDisk(systemDisk);
  await using store = await openAt(folder.path, disk);
  disk.spaceBytes = 1024 * 1024;
  disk.writeCount = 0;
  expect(await codeOf(store.vacuum(V1, FAST))).toBe("out-of-space");
  expect(disk.writeCount).toBe(0);
});

async function tryFault(at: number, fault: StepFault): Promise<number> {
  using folder = temporaryFolder();
  writeHandWrittenFolder(folder.path);
  const disk = new SteppingDisk(systemDisk);
  const store = await openAt(folder.path, disk);
  const before = await contents(store);
  disk.failAt(at, fault);
  await codeOf(store.vacuum(V2, FAST));
  const stepCount = disk.steps.length;
  expect(await contents(store)).toEqual(before);
  await codeOf(store.close());
  await using reopened = await openAt(folder.path);
  expect(await contents(reopened)).toEqual(before);
  expect(readdirSync(folder.path).filter((name) => /\.cp.$/.test(name))).toEqual([]);
  await reopened.vacuum(V2, FAST);
  await reopened.append(fid(2, 9, 9), Buffer.from("new"));
  expect(await contents(reopened)).toEqual(before);
  return stepCount;
}

for (const fault of ["crash", "EIO", "ENOSPC"] as const) {
  test(`rewriting loses nothing when any one of its disk calls meets: ${fault}`, async () => {
    let stepCount = 1;
    for (let at = 1; at <= stepCount; at++) {
      // One call more than it has meets nothing.
      stepCount = Math.max(stepCount, (await tryFault(at, fault)) + 1);
    }
    expect(stepCount).toBeGreaterThan(10);
  }, 60_000);
}
