import { expect, test } from "bun:test";
import { type HasherApart, type Hashes, hex } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { BodyHash } from "./body-hash.ts";

const CHUNKS = ["first chunk", "second", "end"].map((text) => Buffer.from(text));
const MD5 = hex(systemHashes.digest("md5", Buffer.concat(CHUNKS)));

/** Hashes of which those apart are made here, and are taken when `isFree`. */
class Threads implements Pick<Hashes, "create" | "createApart"> {
  takenCount = 0;
  disposedCount = 0;
  readonly #kind: "free" | "taken" | "failing";

  constructor(kind: "free" | "taken" | "failing") {
    this.#kind = kind;
  }

  create(algorithm: "md5"): ReturnType<Hashes["create"]> {
    return systemHashes.create(algorithm);
  }

  createApart(): HasherApart | undefined {
    if (this.#kind === "taken") return undefined;
    this.takenCount++;
    const failure = this.#kind === "failing" ? new Error("the thread ended") : undefined;
    const hasher = systemHashes.create("md5");
    return {
      update: async (bytes) => {
        await Promise.resolve();
        if (failure !== undefined) throw failure;
        hasher.update(bytes);
      },
      digest: async () => {
        await Promise.resolve();
        if (failure !== undefined) throw failure;
        return hasher.digest();
      },
      [Symbol.dispose]: () => {
        this.disposedCount++;
      },
    };
  }
}

async function hashAll(threads: Threads): Promise<string> {
  using hash = new BodyHash(threads);
  for (const [index, chunk] of CHUNKS.entries()) {
    // Whatever its parts are, a chunk is what they are together.
    hash.part(chunk.subarray(0, 2));
    hash.part(chunk.subarray(2));
    await hash.cut(chunk, index === CHUNKS.length - 1 ? "last" : "whole");
  }
  return hex(await hash.digest());
}

test("a body that fills a chunk is hashed apart, and the thread is given back", async () => {
  const threads = new Threads("free");
  expect(await hashAll(threads)).toBe(MD5);
  expect([threads.takenCount, threads.disposedCount]).toEqual([1, 1]);
});

test("where no thread is free the body is hashed here, to its end", async () => {
  const threads = new Threads("taken");
  expect(await hashAll(threads)).toBe(MD5);
});

test("a body that fills no chunk takes no thread", async () => {
  const threads = new Threads("free");
  using hash = new BodyHash(threads);
  const [chunk] = CHUNKS;
  hash.part(chunk ?? Buffer.alloc(0));
  expect(hash.cut(chunk ?? Buffer.alloc(0), "last")).toBeUndefined();
  expect(hex(await hash.digest())).toBe(hex(systemHashes.digest("md5", chunk ?? Buffer.alloc(0))));
  expect(threads.takenCount).toBe(0);
});

test("a thread that fails fails the body, after its chunks", async () => {
  const threads = new Threads("failing");
  expect(await hashAll(threads).catch(String)).toContain("the thread ended");
  expect(threads.disposedCount).toBe(1);
});
