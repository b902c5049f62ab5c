import { expect, test } from "bun:test";
import { type HasherApart, type Hashes, hex } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { BodyHash } from "./body-hash.ts";

const CHUNKS = ["first chunk", "second", "end"].map((text) => Buffer.from(text));
const MD5 = hex(systemHashes.digest("md5", Buffer.concat(CHUNKS)));

/** Hashes of which those apart are made here, where there is a thread. */
class Thread implements Pick<Hashes, "create" | "createMd5Apart"> {
  hurriedCount = 0;
  disposedCount = 0;
  readonly #kind: "there" | "missing" | "failing";

  constructor(kind: "there" | "missing" | "failing") {
    this.#kind = kind;
  }

  create(algorithm: "md5"): ReturnType<Hashes["create"]> {
    return systemHashes.create(algorithm);
  }

  createMd5Apart(): HasherApart | undefined {
    if (this.#kind === "missing") return undefined;
    const failure = this.#kind === "failing" ? new Error("the thread ended") : undefined;
    const hasher = systemHashes.create("md5");
    return {
      update: async (bytes) => {
        await Promise.resolve();
        if (failure !== undefined) throw failure;
        hasher.update(bytes);
      },
      hurry: () => {
        this.hurriedCount++;
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

async function hashAll(thread: Thread): Promise<string> {
  using hash = new BodyHash(thread);
  for (const chunk of CHUNKS) {
    // Whatever its parts are, a chunk is what they are together.
    hash.part(chunk.subarray(0, 2));
    hash.part(chunk.subarray(2));
    const hashed = hash.cut(chunk);
    hash.hurry();
    await hashed;
  }
  return hex(await hash.digest());
}

test("a body is hashed apart, chunk by chunk, and the hasher is disposed of", async () => {
  const thread = new Thread("there");
  expect(await hashAll(thread)).toBe(MD5);
  expect([thread.hurriedCount, thread.disposedCount]).toEqual([CHUNKS.length, 1]);
});

test("where there is no thread the body is hashed here, part by part", async () => {
  const thread = new Thread("missing");
  expect(await hashAll(thread)).toBe(MD5);
});

test("a thread that fails fails the body, after its chunks", async () => {
  const thread = new Thread("failing");
  expect(await hashAll(thread).catch(String)).toContain("the thread ended");
  expect(thread.disposedCount).toBe(1);
});
