import { expect, test } from "bun:test";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { systemDisk } from "@kelp/base/platform";
import { PowerCutDisk, SeededRandom, temporaryFolder } from "@kelp/base/testing";
import { ErasureWorld, type OpenWorld, SIZES, allReadable } from "../testing/erasure-world.ts";
import { SteppingDisk } from "../testing/stepping-disk.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { ONE, content, fid } from "../testing/volume-world.ts";
import { FolderBlobs } from "./folder-blobs.ts";
import { moveFromRemote, moveToRemote } from "./move.ts";

const FAST = { bytesPerSec: 1e12 };
const TIMEOUT_MS = 60_000;

function upload(open: OpenWorld): Promise<void> {
  return moveToRemote(open.context, ONE, open.slot, { backend: "cold", ...FAST });
}

function download(open: OpenWorld): Promise<void> {
  return moveFromRemote(open.context, ONE, open.slot, FAST);
}

function blobs(world: ErasureWorld): string[] {
  return existsSync(world.remoteFolder) ? readdirSync(world.remoteFolder) : [];
}

test("a moved volume reads as before from the remote file alone, and its information file says where that is", async () => {
  using world = new ErasureWorld();
  {
    await using open = await world.open();
    await upload(open);
    expect(await open.readAll()).toEqual(allReadable());
  }
  expect(world.files(".dat")).toEqual([]);
  const [key = ""] = blobs(world);
  const info: unknown = JSON.parse(world.read(".vif").toString());
  const sizeBytes = readFileSync(`${world.remoteFolder}/${key}`).length;
  expect(info).toMatchObject({
    files: [
      {
        backendType: "folder",
        backendId: "cold",
        key,
        offset: "0",
        fileSize: String(sizeBytes),
        extension: ".dat",
      },
    ],
  });
  await using open = await world.open();
  expect(await open.readAll()).toEqual(allReadable());
  expect((await open.scanAll()).length).toBe(allLive());
  expect(open.volume.status()).toMatchObject({
    state: "read-only",
    sizeBytes,
    form: { kind: "remote", backend: "cold", key },
  });
  expect(await codeOf(open.volume.append(fid(90), content(90, 10)))).toBe("read-only");
});

function allLive(): number {
  return [...allReadable().values()].filter((text) => text !== "absent").length;
}

test("a removal writes an index entry alone, and holds after a restart and after the way back", async () => {
  using world = new ErasureWorld();
  {
    await using open = await world.open();
    await upload(open);
    const before = world.read(".idx").length;
    await open.volume.remove(fid(5));
    await open.volume.remove(fid(6, 0x99));
    expect(await open.volume.removeNeedle(fid(7))).toBe(SIZES[6]?.[1] ?? 0);
    // Id, offset 0, size -1.
    const added = world.read(".idx").subarray(before).toString("hex");
    expect(added).toBe("000000000000000500000000ffffffff000000000000000700000000ffffffff");
  }
  {
    await using open = await world.open();
    expect(await open.readAll()).toEqual(allReadable([5, 7]));
    await download(open);
    expect(await open.readAll()).toEqual(allReadable([5, 7]));
    expect(open.volume.status()).toMatchObject({ form: { kind: "plain" } });
    expect(blobs(world)).toEqual([]);
  }
  // The volume file alone tells it, too.
  world.remove(".idx");
  await using open = await world.open();
  expect(await open.readAll()).toEqual(allReadable([5, 7]));
});

test("a flipped bit in the remote file is a corrupt needle, and keeps the volume from coming back", async () => {
  using world = new ErasureWorld();
  {
    await using open = await world.open();
    await upload(open);
  }
  const path = `${world.remoteFolder}/${blobs(world)[0] ?? ""}`;
  const bytes = readFileSync(path);
  // In the data of needle 10, behind its cookie, id and sizes.
  const at = bytes.indexOf(Buffer.from("11223344000000000000000a", "hex")) + 23;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await using open = await world.open();
  expect(await open.readOne(10)).toBe("needle-corrupt");
  expect(await open.readOne(11)).toBe(allReadable().get(11) ?? "");
  expect(await codeOf(download(open))).toBe("needle-corrupt");
  expect(blobs(world).length).toBe(1);
  expect(await open.readOne(11)).toBe(allReadable().get(11) ?? "");
});

test("a remote file that is gone is an error of the store, never an absent needle", async () => {
  using world = new ErasureWorld();
  {
    await using open = await world.open();
    await upload(open);
  }
  await new FolderBlobs(systemDisk, world.remoteFolder).remove(blobs(world)[0] ?? "");
  await using open = await world.open();
  expect(await open.readOne(1)).toBe("remote-failed");
  expect((await open.scanAll()).every((needle) => needle.kind === "corrupt")).toBe(true);
});

test("a remote file beyond what offsets of its index reach is refused", async () => {
  using world = new ErasureWorld();
  {
    await using open = await world.open();
    await upload(open);
  }
  const info = world.read(".vif").toString();
  writeFileSync(world.file(".vif"), info.replace(/"fileSize": "\d+"/, '"fileSize": "34359738376"'));
  const failure: unknown = await world.open().catch((error: unknown) => error);
  expect(String(failure)).toContain("34359738376 bytes, at most 34359738368 can be addressed");
});

test("what is not sealed, in another form, or for a store nobody knows is not moved", async () => {
  using world = new ErasureWorld();
  await using open = await world.open();
  const elsewhere = { backend: "warm", ...FAST };
  expect(await codeOf(moveToRemote(open.context, ONE, open.slot, elsewhere))).toBe(
    "no-such-backend",
  );
  expect(await codeOf(download(open))).toBe("wrong-form");
  await upload(open);
  expect(await codeOf(upload(open))).toBe("wrong-form");
});

test.each(["../1.dat", "a/b", ".hidden", ""])(
  "a key %j does not lead out of a folder",
  async (key) => {
    using folder = temporaryFolder();
    const store = new FolderBlobs(systemDisk, folder.path);
    expect(store.read(key, new Uint8Array(1), 0)).rejects.toThrow("no plain file name");
    expect(store.remove(key)).rejects.toThrow("no plain file name");
  },
);

async function tryFault(
  direction: "upload" | "download",
  at: number,
  fault: "EIO" | "ENOSPC" | "crash",
): Promise<void> {
  using world = new ErasureWorld(1);
  const run = direction === "upload" ? upload : download;
  {
    await using open = await world.open();
    if (direction === "download") {
      await upload(open);
      await open.volume.remove(fid(4));
    }
  }
  const removed = direction === "download" ? [4] : [];
  const disk = new SteppingDisk(systemDisk);
  const open = await world.open(disk);
  disk.failAt(at, fault);
  await run(open).catch(() => undefined);
  const where = `${fault} at step ${at} (${disk.steps.at(at - 1)})`;
  expect([where, await open.readAll()]).toEqual([where, allReadable(removed)]);
  const isRemoved = (await codeOf(open.volume.remove(fid(8)))) === undefined;
  const expected = allReadable([...removed, ...(isRemoved ? [8] : [])]);
  await open.close().catch(() => undefined);
  await using again = await world.open();
  expect([where, await again.readAll()]).toEqual([where, expected]);
  const { kind } = again.volume.status().form;
  expect([where, world.files(".dat").length]).toEqual([where, kind === "plain" ? 1 : 0]);
}

async function countSteps(direction: "upload" | "download"): Promise<number> {
  using world = new ErasureWorld(1);
  const disk = new SteppingDisk(systemDisk);
  await using open = await world.open(disk);
  if (direction === "download") await upload(open);
  disk.steps.length = 0;
  await (direction === "upload" ? upload : download)(open);
  return disk.steps.length;
}

test.each(["upload", "download"] as const)(
  "%s loses nothing when any step of it fails, or the process ends there",
  async (direction) => {
    const steps = await countSteps(direction);
    expect(steps).toBeGreaterThan(8);
    for (let at = 1; at <= steps; at++) {
      await tryFault(direction, at, at % 2 ? "EIO" : "ENOSPC");
      await tryFault(direction, at, "crash");
    }
  },
  TIMEOUT_MS,
);

test("a slow disk is read to the end before the blob is closed", async () => {
  const disk = new PowerCutDisk({ slow: new SeededRandom(1) });
  const cold = new FolderBlobs(disk, "/cold");
  const bytes = Uint8Array.of(1, 2, 3);
  const readAt = async (target: Uint8Array): Promise<number> => {
    target.set(bytes);
    return bytes.length;
  };
  await cold.put("a", { sizeBytes: bytes.length, readAt });
  const found = new Uint8Array(bytes.length);
  for (let turn = 0; turn < 20; turn++) {
    expect(await cold.read("a", found, 0)).toBe(bytes.length);
    expect(found).toEqual(bytes);
  }
});
