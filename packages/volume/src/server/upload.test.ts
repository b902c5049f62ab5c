import { Semaphore } from "@kelp/base";
import type { HttpRequest } from "@kelp/base/http";
import { systemHashes } from "@kelp/base/platform";
import { expect, test } from "bun:test";
import { OutstandingBytes } from "./outstanding-bytes.ts";
import { withUpload } from "./upload.ts";

test("a body keeps its share of the budget until it is stored", async () => {
  const uploads = new Semaphore(10);
  const request = {
    headers: {},
    body: {
      whole: async (_limit: number, budget: Semaphore) => {
        const permit = await budget.acquire(3);
        const dispose = (): void => permit[Symbol.dispose]();
        return { bytes: Buffer.from("abc"), [Symbol.dispose]: dispose };
      },
    },
  };
  const stored = Promise.withResolvers<string>();
  const storing = Promise.withResolvers<void>();
  const upload = withUpload(
    { hashes: systemHashes, uploads, outstanding: new OutstandingBytes() },
    request as unknown as HttpRequest,
    () => {
      storing.resolve();
      return stored.promise;
    },
  );
  await storing.promise;
  await Promise.resolve();
  expect(uploads.used).toBe(3);
  stored.resolve("done");
  expect(await upload).toBe("done");
  expect(uploads.used).toBe(0);
});
