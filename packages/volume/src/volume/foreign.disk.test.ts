import { expect, test } from "bun:test";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { type Log, silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { rebuildIndexes } from "../store/rebuild-indexes.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { ONE, VolumeWorld, content, fid, readPlain } from "../testing/volume-world.ts";

// Volumes as another program writes them, or leaves them.

// Id, offset 8 / 8 and size 0: how SeaweedFS stores an empty needle, here without and with its index entry.
test.each(["from the index file", "from the volume file"])(
  "a record without a body under a new id is an empty needle, %s",
  async (source) => {
    using world = new VolumeWorld();
    const data = Buffer.from(
      "03000000 00000000 11223344 0000000000000001 00000000 00000000 0102030405060708 00000000".replaceAll(
        " ",
        "",
      ),
      "hex",
    );
    writeFileSync(world.dataPath, data);
    if (source === "from the index file") {
      writeFileSync(world.indexPath, Buffer.from("00000000000000010000000100000000", "hex"));
    }
    {
      await using store = await world.open();
      expect(await readPlain(store, fid(1))).toEqual([]);
      await store.remove([fid(1)]);
    }
    rmSync(world.indexPath);
    await using store = await world.open();
    expect(await store.read(fid(1))).toBeUndefined();
  },
);

test("a needle past its TTL is absent", async () => {
  using world = new VolumeWorld();
  // Data "a" (checksum of RFC 3720's polynomial: 0xc1d04330), flag 0x10, TTL 1 minute, written at 1 s.
  const data = Buffer.from(
    "03000000 00000000 11223344 0000000000000001 00000008 00000001 61 10 0101 c1d04330 000000003b9aca00 00000008".replaceAll(
      " ",
      "",
    ),
    "hex",
  );
  writeFileSync(world.dataPath, data);
  const clockAt = (ms: number) => ({
    nowMs: () => ms,
    nowNs: () => BigInt(ms) * 1_000_000n,
    monotonicMs: () => 0,
    schedule: () => ({ cancel: () => undefined }),
    sleep: async () => undefined,
  });
  {
    await using store = await world.open({ clock: clockAt(61_000) });
    expect(await readPlain(store, fid(1))).toEqual([0x61]);
  }
  await using store = await world.open({ clock: clockAt(61_001) });
  expect(await store.read(fid(1))).toBeUndefined();
});

test.each([
  ["has no superblock of a known version", Buffer.from("0400000000000000", "hex")],
  ["is zeros", Buffer.alloc(100)],
  ["is too short", Buffer.from("0300", "hex")],
])("a volume that %s is listed as failed and keeps no other from service", async (_name, bytes) => {
  using world = new VolumeWorld();
  await world.appendAll([100]);
  writeFileSync(`${world.folder}/pictures_7.dat`, bytes);
  await using store = await world.open();
  expect(await store.volumes()).toMatchObject([
    { id: ONE, state: "writable" },
    { id: 7, state: "failed", collection: "pictures" },
  ]);
  const elsewhere = { ...fid(1), volumeId: (await store.volumes())[1]?.id ?? ONE };
  expect(await codeOf(store.read(elsewhere))).toBe("volume-failed");
  expect(await codeOf(store.createVolume(elsewhere.volumeId, { collection: "" }))).toBe(
    "volume-exists",
  );
  expect(await readPlain(store, fid(1))).toEqual([...content(1, 100)]);
});

test("a volume that SeaweedFS marked read-only is read and not changed", async () => {
  using world = new VolumeWorld();
  await world.appendAll([100]);
  writeFileSync(`${world.folder}/1.vif`, `{ "version": 3, "bytesOffset": 4, "readOnly": true }`);
  await using store = await world.open();
  expect((await store.volumes())[0]?.state).toBe("read-only");
  expect(await codeOf(store.append(fid(2), content(2, 10)))).toBe("read-only");
  expect(await codeOf(store.remove([fid(1)]))).toBe("read-only");
  expect(await readPlain(store, fid(1))).toEqual([...content(1, 100)]);
});

test("a read-only volume that SeaweedFS lets lose needles takes removals, and loses that by being marked anew", async () => {
  using world = new VolumeWorld();
  await world.appendAll([100, 100, 100]);
  const vif = `{ "version": 3, "bytesOffset": 4, "readOnly": true, "readOnlyCanDelete": true }`;
  writeFileSync(`${world.folder}/1.vif`, vif);
  {
    await using store = await world.open();
    expect(await codeOf(store.append(fid(4), content(4, 10)))).toBe("read-only");
    expect(await codeOf(store.append(fid(2), content(4, 10)))).toBe("read-only");
    await store.remove([fid(1)]);
    expect(await store.read(fid(1))).toBeUndefined();
    expect((await store.vacuum(ONE)).liveCount).toBe(2);
    expect((await store.volumes())[0]?.state).toBe("read-only");
  }
  await using store = await world.open();
  expect(await store.read(fid(1))).toBeUndefined();
  await store.remove([fid(2)]);
  await store.setWritable(ONE, "writable");
  await store.setWritable(ONE, "read-only");
  expect(await codeOf(store.remove([fid(3)]))).toBe("read-only");
  expect(JSON.parse(readFileSync(`${world.folder}/1.vif`, "utf8"))).toMatchObject({
    readOnly: true,
    readOnlyCanDelete: false,
  });
});

// A file of holes: it takes no space.
test.each([
  ["version 3", 3, 4],
  ["version 2", 2, 4],
  ["version 1", 1, 4],
])(
  "a volume of %s beyond what offsets of its index reach is refused, in words",
  async (_name, version) => {
    using world = new VolumeWorld();
    writeFileSync(world.dataPath, Buffer.from([version, 0, 0, 0, 0, 0, 0, 0]));
    truncateSync(world.dataPath, 32 * 1024 ** 3 + 8);
    // Needle 1 at 8, or at 32 GiB more.
    writeFileSync(world.indexPath, Buffer.from("00000000000000010000000100000006", "hex"));
    const lines: string[] = [];
    const note = (text: string, fields?: unknown) =>
      void lines.push(`${text} ${String((fields as { error?: unknown } | undefined)?.error)}`);
    const log: Log = { ...silentLog, error: note, warn: note };
    await using store = await world.open({ log });
    expect((await store.volumes())[0]?.state).toBe("failed");
    expect(await codeOf(store.read(fid(1)))).toBe("volume-failed");
    expect(lines.join(" ")).toContain("34359738376 bytes, at most 34359738368 can be addressed");
    const rebuilding = {
      disk: systemDisk,
      clock: systemClock,
      hashes: systemHashes,
      log: silentLog,
      folders: [world.folder],
    };
    const rebuilt = await Array.fromAsync(rebuildIndexes(rebuilding));
    expect(rebuilt).toMatchObject([{ kind: "failed" }]);
  },
);

test.each([
  ["an unfinished copy", "1.note", ""],
  ["offsets of 6 bytes", "1.vif", `{ "bytesOffset": 6 }`],
  ["an information file that is no JSON", "1.vif", "{"],
])("a volume with %s is left alone", async (_name, file, text) => {
  using world = new VolumeWorld();
  await world.appendAll([100]);
  const before = [world.data(), world.index()];
  writeFileSync(`${world.folder}/${file}`, text);
  await using store = await world.open();
  expect((await store.volumes())[0]?.state).toBe("failed");
  expect(await codeOf(store.read(fid(1)))).toBe("volume-failed");
  expect([world.data(), world.index()]).toEqual(before);
});
