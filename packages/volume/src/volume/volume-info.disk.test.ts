import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { systemDisk } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { codeOf } from "../testing/volume-client-contract.ts";
import { type VolumeInfo, readVolumeInfo, writeVolumeInfo } from "./volume-info.ts";

async function parse(text: string): Promise<VolumeInfo> {
  using folder = temporaryFolder();
  writeFileSync(`${folder.path}/1.vif`, text);
  return await readVolumeInfo(systemDisk, `${folder.path}/1`);
}

// As SeaweedFS 4.44 writes it for a volume that was marked read-only.
const PRETTY = `{
  "files": [],
  "version": 3,
  "replication": "012",
  "bytesOffset": 4,
  "datFileSize": "0",
  "expireAtSec": "0",
  "readOnly": true,
  "ecShardConfig": null,
  "readOnlyCanDelete": false
}`;

test("the file is read and written byte for byte in SeaweedFS's spelling", async () => {
  using folder = temporaryFolder();
  const base = `${folder.path}/1`;
  const absent = await readVolumeInfo(systemDisk, base);
  expect(absent).toMatchObject({ isReadOnly: false, replicaPlacement: undefined, offsetBytes: 4 });
  const written = await writeVolumeInfo(systemDisk, base, absent, {
    isReadOnly: true,
    replicaPlacement: 12,
  });
  expect(readFileSync(`${base}.vif`, "utf8")).toBe(PRETTY);
  expect(await readVolumeInfo(systemDisk, base)).toEqual(written);
  expect(written).toMatchObject({ isReadOnly: true, replicaPlacement: 12 });
});

test("shards and remote files are read and written, 64-bit numbers as texts", async () => {
  using folder = temporaryFolder();
  const base = `${folder.path}/1`;
  const file = {
    backendType: "s3",
    backendId: "default",
    key: "a/b",
    sizeBytes: 5_000_000_000,
    modifiedSec: 1_700_000_000,
    extension: ".dat",
  };
  await writeVolumeInfo(systemDisk, base, await readVolumeInfo(systemDisk, base), {
    files: [file],
    shards: { dataShards: 10, parityShards: 4, encodedNs: 1_795_212_806_554_342_258n },
    dataFileBytes: 5_000_000_000,
  });
  expect(JSON.parse(readFileSync(`${base}.vif`, "utf8"))).toMatchObject({
    files: [
      {
        backendType: "s3",
        backendId: "default",
        key: "a/b",
        offset: "0",
        fileSize: "5000000000",
        modifiedTime: "1700000000",
        extension: ".dat",
      },
    ],
    datFileSize: "5000000000",
    ecShardConfig: { dataShards: 10, parityShards: 4 },
  });
  expect(await readVolumeInfo(systemDisk, base)).toMatchObject({
    files: [file],
    shards: { dataShards: 10, parityShards: 4, encodedNs: 1_795_212_806_554_342_258n },
    dataFileBytes: 5_000_000_000,
  });
});

test("older spellings and plain numbers are read, and not written again", async () => {
  using folder = temporaryFolder();
  const base = `${folder.path}/1`;
  writeFileSync(
    `${base}.vif`,
    `{"BytesOffset":5,"DestroyTime":"77","datFileSize":9,"later":{"x":1}}`,
  );
  const info = await readVolumeInfo(systemDisk, base);
  expect(info).toMatchObject({ offsetBytes: 5, expiresSec: 77, dataFileBytes: 9 });
  await writeVolumeInfo(systemDisk, base, info, { isReadOnly: true });
  const text: unknown = JSON.parse(readFileSync(`${base}.vif`, "utf8"));
  expect(text).toMatchObject({
    bytesOffset: 5,
    expireAtSec: "77",
    readOnly: true,
    later: { x: 1 },
  });
  expect(text).not.toHaveProperty("BytesOffset");
  expect(text).not.toHaveProperty("DestroyTime");
});

test("an empty file, as an exhausted disk leaves it, says nothing", async () => {
  expect(await parse(" \n")).toMatchObject({ isReadOnly: false, offsetBytes: 4 });
});

test.each([
  ["no JSON", "{"],
  ["no object", "[]"],
  ["offsets of 6 bytes", `{"bytesOffset":6}`],
  ["a replication of two digits", `{"replication":"01"}`],
  ["a replication that fits in no byte", `{"replication":"256"}`],
])("%s is refused", async (_name, text) => {
  expect(await codeOf(parse(text))).toBe("unsupported-format");
});
