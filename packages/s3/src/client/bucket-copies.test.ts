import { afterEach, beforeEach, expect, test } from "bun:test";
import { collectBytes, must, utf8, utf8Text } from "@kelp/base";
import { type FilerWorld, openFilerWorld } from "@kelp/filer/testing";
import { type BucketCopies, type ObjectReads, type ObjectStore } from "@kelp/wire";
import { codeOf } from "../testing/store-code.ts";
import { createBucketCopies, createObjectStore } from "./index.ts";

let world: FilerWorld;
let objects: ObjectStore;
let copies: BucketCopies;

beforeEach(async () => {
  world = openFilerWorld();
  objects = createObjectStore(world);
  copies = createBucketCopies(world);
  await objects.createBucket("bkt", "me");
});

afterEach(() => world[Symbol.dispose]());

async function textOf(reads: ObjectReads, key: string, bucket = "bkt"): Promise<string> {
  const found = must(await reads.getObject(bucket, key));
  return utf8Text(must(await collectBytes(found.body, 100)));
}

test("a snapshot is read as the bucket was, and a copy of it goes its own way", async () => {
  await objects.putObject({ bucket: "bkt", key: "a", body: utf8("old"), contentType: "text/x" });
  await objects.putObject({ bucket: "bkt", key: "b/c", body: utf8("gone") });
  const made = await copies.createSnapshot("bkt", "v1.0_x-y");
  expect(made).toMatchObject({ name: "v1.0_x-y", sizeBytes: 7, objectCount: 2 });
  await objects.putObject({ bucket: "bkt", key: "a", body: utf8("new") });
  await objects.deleteObjects("bkt", "b/");
  const then = copies.atSnapshot("v1.0_x-y");
  expect(await textOf(then, "a")).toBe("old");
  expect(await then.headObject("bkt", "a")).toMatchObject({ contentType: "text/x", sizeBytes: 3 });
  expect(await then.headObject("bkt", "none")).toBeUndefined();
  expect((await then.listObjects("bkt", { delimiter: "/", limit: 5 })).items).toMatchObject([
    { kind: "object", key: "a" },
    { kind: "prefix", prefix: "b/" },
  ]);
  expect(await textOf(objects, "a")).toBe("new");
  expect(await objects.headObject("bkt", "b/c")).toBeUndefined();

  const clone = { source: "bkt", target: "copy", owner: "ann" };
  expect(await copies.cloneBucket({ ...clone, snapshot: "v1.0_x-y" })).toBe("created");
  expect(await objects.getBucket("copy")).toMatchObject({ owner: "ann", objectCount: 2 });
  await objects.putObject({ bucket: "copy", key: "a", body: utf8("copy's") });
  expect(await textOf(objects, "b/c", "copy")).toBe("gone");
  expect(await textOf(objects, "a")).toBe("new");
  expect(await textOf(then, "a")).toBe("old");
  expect(await copies.cloneBucket({ ...clone, target: "now" })).toBe("created");
  expect(await textOf(objects, "a", "now")).toBe("new");

  expect((await copies.listSnapshots("bkt")).map(({ name }) => name)).toEqual(["v1.0_x-y"]);
  expect(await copies.listSnapshots("copy")).toEqual([]);
  await copies.deleteSnapshot("bkt", "v1.0_x-y");
  expect(await codeOf(() => then.headObject("bkt", "a"))).toBe("no-such-snapshot");
  expect(await textOf(objects, "b/c", "copy")).toBe("gone");
});

test("what is absent, taken or badly named has its code", async () => {
  await world.filer.createTree({ name: "pvc-1" as never, kind: "csi-volume", owner: "x" });
  const clone = { source: "bkt", target: "copy", owner: "me" };
  for (const bucket of ["none", "pvc-1", "bkt@s", "No"]) {
    expect(await codeOf(() => copies.createSnapshot(bucket, "s"))).toBe("no-such-bucket");
    expect(await codeOf(() => copies.listSnapshots(bucket))).toBe("no-such-bucket");
    expect(await codeOf(() => copies.deleteSnapshot(bucket, "s"))).toBe("no-such-bucket");
    expect(await codeOf(() => copies.cloneBucket({ ...clone, source: bucket }))).toBe(
      "no-such-bucket",
    );
  }
  for (const name of ["", "-a", ".", "..", "a/b", "a@b", "ä", "a b", "a".repeat(64)]) {
    expect(await codeOf(() => copies.createSnapshot("bkt", name))).toBe("invalid-snapshot-name");
  }
  expect((await copies.createSnapshot("bkt", "a".repeat(63))).objectCount).toBe(0);
  expect(await codeOf(() => copies.createSnapshot("bkt", "a".repeat(63)))).toBe("snapshot-exists");
  expect(await codeOf(() => copies.deleteSnapshot("bkt", "none"))).toBe("no-such-snapshot");
  expect(await codeOf(() => copies.cloneBucket({ ...clone, snapshot: "none" }))).toBe(
    "no-such-snapshot",
  );
  expect(await codeOf(() => copies.cloneBucket({ ...clone, target: "No_Name" }))).toBe(
    "invalid-bucket-name",
  );
  expect(await copies.cloneBucket({ ...clone, target: "bkt" })).toBe("exists");
  expect(await copies.cloneBucket({ ...clone, target: "pvc-1" })).toBe("exists");
  expect(await codeOf(() => objects.deleteBucket("bkt"))).toBe("bucket-not-empty");
});

test("a bucket has no more snapshots than it may", async () => {
  for (let count = 0; count < 1000; count += 1) await copies.createSnapshot("bkt", `s${count}`);
  expect(await codeOf(() => copies.createSnapshot("bkt", "more"))).toBe("too-many-snapshots");
  await copies.deleteSnapshot("bkt", "s0");
  expect(await codeOf(() => copies.createSnapshot("bkt", "more"))).toBe("accepted");
});
