import { expect } from "bun:test";
import { refused } from "@kelp/base";
import { OBJECT_BYTES_MAX } from "@kelp/wire";
import { type Claim, TREE, chunk, garbage, settle, upload } from "./store-steps.ts";

/** What becomes of parts. */
export function uploadClaims(claim: Claim): void {
  claim("an aborted upload frees its parts", async ({ store }) => {
    const id = await upload(store, "a");
    for (let number = 1; number <= 120; number += 1) {
      const chunks = [chunk(BigInt(number), 5)];
      const part = { sizeBytes: 5, etag: "e", attributes: {}, modifiedMs: undefined };
      await store.putPart({ tree: TREE, id, number, chunks, ...part });
    }
    await store.abortUpload(TREE, id);
    expect((await store.getTree(TREE))?.usage).toEqual({ bytes: 0, entries: 0, chunks: 0 });
    await settle(store);
    expect(garbage(store).length).toBe(120);
    expect(store.referenceCount()).toBe(0);
  });

  claim("parts that are too much together stay parts", async ({ store }) => {
    const id = await upload(store, "a");
    for (const number of [1, 2]) {
      const sizeBytes = OBJECT_BYTES_MAX / 2 + number - 1;
      const chunks = [{ ...chunk(BigInt(number), sizeBytes), isManifest: true } as const];
      const part = { sizeBytes, etag: "e", attributes: {}, modifiedMs: undefined };
      await store.putPart({ tree: TREE, id, number, chunks, ...part });
    }
    const describe = () => ({ etag: "whole", attributes: {} });
    const request = { tree: TREE, id, partBytesMin: 1, describe };
    const both = [1, 2].map((number) => ({ number, etag: "e" }));
    const refusal = { kind: "too-large", sizeBytes: OBJECT_BYTES_MAX + 1 };
    expect(await store.completeUpload({ ...request, parts: both })).toEqual(
      refused(refusal) as never,
    );
    expect((await store.completeUpload({ ...request, parts: both.slice(0, 1) })).kind).toBe("ok");
    await settle(store);
    expect(garbage(store)).toEqual([2n]);
  });
}
