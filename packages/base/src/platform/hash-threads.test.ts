import { expect, test } from "bun:test";
import { hex } from "../bytes.ts";
import { must } from "../assert.ts";
import { systemHashes } from "./hash.ts";
import { HashThreads } from "./hash-threads.ts";

function shared(length: number): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  for (let at = 0; at < length; at++) bytes[at] = (at * 31) >>> 3;
  return bytes;
}

function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => "", String);
}

test.each(["md5", "sha256"] as const)(
  "%s apart is that of the caller's thread",
  async (algorithm) => {
    const threads = new HashThreads(1);
    const bytes = shared(300_000);
    using hasher = must(threads.take(algorithm));
    await Promise.all([
      hasher.update(bytes.subarray(0, 100_001)),
      hasher.update(bytes.subarray(100_001)),
    ]);
    expect(hex(await hasher.digest())).toBe(hex(systemHashes.digest(algorithm, bytes)));
    hasher[Symbol.dispose]();
    await threads.stop();
  },
);

test("a thread is one hash's until that is disposed of, and begins the next one afresh", async () => {
  const threads = new HashThreads(1);
  const bytes = shared(50_000);
  const first = must(threads.take("md5"));
  const left = first.update(bytes);
  expect(threads.take("md5")).toBeUndefined();
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  const second = must(threads.take("md5"));
  expect(threads.take("md5")).toBeUndefined();
  await second.update(bytes.subarray(7));
  expect(hex(await second.digest())).toBe(hex(systemHashes.digest("md5", bytes.subarray(7))));
  await left;
  second[Symbol.dispose]();
  await threads.stop();
});

test("a hash whose thread ends is refused, now and later, and another thread takes the next one", async () => {
  const threads = new HashThreads(1);
  const hasher = must(threads.take("md5"));
  const bytes = shared(4);
  await hasher.update(bytes);
  hasher[Symbol.dispose]();
  await threads.stop();
  expect(await failureOf(hasher.update(bytes))).toContain("Cannot hash");
  expect(await failureOf(hasher.digest())).toContain("Cannot hash");
  using next = must(threads.take("md5"));
  await next.update(bytes);
  expect(hex(await next.digest())).toBe(hex(systemHashes.digest("md5", bytes)));
  next[Symbol.dispose]();
  await threads.stop();
});

test("where there is no processor to spare there is no thread", () => {
  expect(new HashThreads(0).take("md5")).toBeUndefined();
});

test("a thread that waits for work keeps no process alive", async () => {
  const program = `
    const { systemHashes } = await import(${JSON.stringify(import.meta.resolve("./hash.ts"))});
    const hasher = systemHashes.createApart("md5");
    await hasher?.update(new Uint8Array(10));
    hasher?.[Symbol.dispose]();
    process.stdout.write("hashed");`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
  expect(await new Response(child.stdout).text()).toBe("hashed");
  expect(await child.exited).toBe(0);
});
