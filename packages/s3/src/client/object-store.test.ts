import { type MemoryFiler, createMemoryFiler } from "../testing/memory-filer.ts";
import { collectBytes, utf8, utf8Text, must } from "@kelp/base";
import { expect, test } from "bun:test";
import { codeOf } from "../testing/store-code.ts";
import { createObjectStore } from "./object-store.ts";
import { systemHashes } from "@kelp/base/platform";

function world(): { filer: MemoryFiler; store: ReturnType<typeof createObjectStore> } {
  const filer = createMemoryFiler({ hashes: systemHashes, nowMs: () => 1000 });
  return { filer, store: createObjectStore({ filer }) };
}

test("an object goes in and comes out, whole and in part", async () => {
  const { store } = world();
  expect(await store.createBucket("bkt", "me")).toBe("created");
  expect(await store.createBucket("bkt", "me")).toBe("exists");
  const info = await store.putObject({
    bucket: "bkt",
    key: "k",
    body: utf8("hello"),
    contentType: "text/plain",
  });
  expect(info).toEqual({
    key: "k",
    sizeBytes: 5,
    modifiedMs: 1000,
    etag: "5d41402abc4b2a76b9719d911017c592",
    contentType: "text/plain",
    userMetadata: {},
    chunkCount: 0,
  });
  const part = must(await store.getObject("bkt", "k", { start: 1, end: 3 }));
  expect(utf8Text(must(await collectBytes(part.body, 100)))).toBe("el");
  expect(await store.headObject("bkt", "none")).toBeUndefined();
  await store.renameObject("bkt", "k", "l");
  const page = await store.listObjects("bkt", { limit: 10 });
  expect(page.items.map((item) => (item.kind === "object" ? item.key : ""))).toEqual(["l"]);
});

test("what is absent or not allowed has its code", async () => {
  const { store, filer } = world();
  await store.createBucket("bkt", "me");
  await filer.createTree({ name: "pvc-1" as never, kind: "csi-volume", owner: "x" });
  expect(await store.getBucket("pvc-1")).toBeUndefined();
  expect(await codeOf(() => store.putObject({ bucket: "pvc-1", key: "k", body: utf8("x") }))).toBe(
    "no-such-bucket",
  );
  expect(await codeOf(() => store.headObject("none", "k"))).toBe("no-such-bucket");
  expect(await codeOf(() => store.createBucket("Bad_Name", "me"))).toBe("invalid-bucket-name");
  expect(store.createBucket("Bad_Name", "me")).rejects.toThrow("3 to 63 lowercase letters");
  expect(await codeOf(() => store.putObject({ bucket: "bkt", key: "a\0", body: utf8("x") }))).toBe(
    "invalid-key",
  );
  expect(await codeOf(() => store.renameObject("bkt", "none", "x"))).toBe("no-such-object");
  await store.setBucketQuota("bkt", { sizeBytes: 3 });
  expect(await codeOf(() => store.putObject({ bucket: "bkt", key: "k", body: utf8("1234") }))).toBe(
    "quota-exceeded",
  );
  await store.putObject({ bucket: "bkt", key: "k", body: utf8("123") });
  expect(await codeOf(() => store.deleteBucket("bkt"))).toBe("bucket-not-empty");
  filer.failNextWrite = Object.assign(new Error("full"), { code: "out-of-space" });
  expect(await codeOf(() => store.putObject({ bucket: "bkt", key: "k", body: utf8("1") }))).toBe(
    "out-of-space",
  );
});

test("the bounds of a quota are set and lifted one by one", async () => {
  const { store } = world();
  await store.createBucket("bkt", "me");
  const bounds = async () => {
    const bucket = must(await store.getBucket("bkt"));
    return [bucket.quotaBytes, bucket.quotaObjects];
  };
  await store.setBucketQuota("bkt", { objectCount: 1 });
  await store.setBucketQuota("bkt", { sizeBytes: 9 });
  expect(await bounds()).toEqual([9, 1]);
  await store.putObject({ bucket: "bkt", key: "k", body: utf8("1") });
  expect(await codeOf(() => store.putObject({ bucket: "bkt", key: "l", body: utf8("1") }))).toBe(
    "quota-exceeded",
  );
  await store.setBucketQuota("bkt", { objectCount: null });
  expect(await bounds()).toEqual([9, undefined]);
  expect(await codeOf(() => store.setBucketQuota("none", {}))).toBe("no-such-bucket");
});

test("a bucket with objects is deleted when they are to be discarded", async () => {
  const { store } = world();
  await store.createBucket("bkt", "me");
  await store.putObject({ bucket: "bkt", key: "k", body: utf8("1") });
  await store.deleteBucket("bkt", { contents: "discard" });
  expect(await store.getBucket("bkt")).toBeUndefined();
  expect(await codeOf(() => store.deleteBucket("bkt", { contents: "discard" }))).toBe(
    "no-such-bucket",
  );
});
