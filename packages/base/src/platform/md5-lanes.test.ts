import { expect, test } from "bun:test";
import { must } from "../assert.ts";
import { hex } from "../bytes.ts";
import type { HasherApart } from "../hash.ts";
import { systemHashes } from "./hash.ts";
import { Md5Lanes } from "./md5-lanes.ts";

/** Long enough for the thread. */
const LONG_BYTES = 300_000;

function shared(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  for (let at = 0; at < length; at++) bytes[at] = ((at + seed) * 31) >>> 3;
  return bytes;
}

function md5(bytes: Uint8Array): string {
  return hex(systemHashes.digest("md5", bytes));
}

function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => "", String);
}

/** The lanes of a machine with two processors; the thread ends with the test. */
class Lanes extends Md5Lanes implements AsyncDisposable {
  constructor() {
    super(2);
  }

  open(): HasherApart {
    return must(this.create());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

test("pieces of one body, whatever blocks they fill, are hashed in order", async () => {
  await using lanes = new Lanes();
  const bytes = shared(2 * LONG_BYTES);
  using hasher = lanes.open();
  const cuts = [0, 1, 64, 100_001, 100_001, 450_000, bytes.length];
  const updates = cuts.map((cut, index) =>
    hasher.update(bytes.subarray(cuts[index - 1] ?? 0, cut)),
  );
  await Promise.all(updates);
  expect(hex(await hasher.digest())).toBe(md5(bytes));
});

test("an empty body has a digest", async () => {
  await using lanes = new Lanes();
  using hasher = lanes.open();
  expect(hex(await hasher.digest())).toBe(md5(new Uint8Array(0)));
});

test("more bodies than lanes, of different lengths, each have their own digest", async () => {
  await using lanes = new Lanes();
  const bodies = Array.from({ length: 11 }, (_, index) => shared(index * 171_717 + 5, index));
  const digests = bodies.map(async (body, index) => {
    using hasher = lanes.open();
    const cut = (body.length * index) / 11;
    const updates = [hasher.update(body.subarray(0, cut)), hasher.update(body.subarray(cut))];
    const digest = await hasher.digest();
    await Promise.all(updates);
    return hex(digest);
  });
  expect(await Promise.all(digests)).toEqual(bodies.map(md5));
});

test("a body waits for those that are open, and is not looked at before", async () => {
  await using lanes = new Lanes();
  using first = lanes.open();
  using second = lanes.open();
  const bytes = shared(LONG_BYTES);
  const firstDone = first.update(bytes);
  bytes.fill(7);
  await Promise.all([firstDone, second.update(shared(LONG_BYTES))]);
  expect(hex(await first.digest())).toBe(md5(new Uint8Array(LONG_BYTES).fill(7)));
});

test("a body that is hurried waits for nobody", async () => {
  await using lanes = new Lanes();
  using first = lanes.open();
  using _other = lanes.open();
  const bytes = shared(LONG_BYTES);
  const done = first.update(bytes);
  first.hurry();
  await done;
  expect(hex(await first.digest())).toBe(md5(bytes));
});

test("a body alone waits for nobody, once others were not there for a while", async () => {
  await using lanes = new Lanes();
  {
    using first = lanes.open();
    using second = lanes.open();
    await Promise.all([first.update(shared(9)), second.update(shared(9))]);
  }
  for (let turn = 0; turn < 40; turn++) {
    using hasher = lanes.open();
    const done = hasher.update(shared(9));
    if (turn < 30) hasher.hurry();
    await done;
  }
});

test("a body that is given up keeps nobody waiting, and has no digest", async () => {
  await using lanes = new Lanes();
  using first = lanes.open();
  const second = lanes.open();
  const third = lanes.open();
  const bytes = shared(LONG_BYTES);
  const waiting = first.update(bytes);
  const left = second.update(shared(LONG_BYTES));
  second[Symbol.dispose]();
  second[Symbol.dispose]();
  await left;
  third[Symbol.dispose]();
  first.hurry();
  await waiting;
  expect(hex(await first.digest())).toBe(md5(bytes));
  expect(await failureOf(second.digest())).toContain("given up");
});

test("memory of a body that is given up while it is hashed is held until it is not looked at", async () => {
  await using lanes = new Lanes();
  const hasher = lanes.open();
  const updates = [hasher.update(shared(3 * LONG_BYTES)), hasher.update(shared(LONG_BYTES))];
  hasher[Symbol.dispose]();
  await Promise.all(updates);
  using next = lanes.open();
  await next.update(shared(LONG_BYTES));
  expect(hex(await next.digest())).toBe(md5(shared(LONG_BYTES)));
});

test("memory that the thread forgets in the middle of a body is sent to it anew", async () => {
  await using lanes = new Lanes();
  const bytes = shared(4 * LONG_BYTES);
  using hasher = lanes.open();
  const updates = [0, 1, 2, 3].map((part) => {
    const update = hasher.update(bytes.subarray(part * LONG_BYTES, (part + 1) * LONG_BYTES));
    lanes.forget();
    return update;
  });
  await updates[1];
  lanes.forget();
  expect(hex(await hasher.digest())).toBe(md5(bytes));
});

test("bodies whose thread ends are refused, now and later, and others have another thread", async () => {
  await using lanes = new Lanes();
  using hasher = lanes.open();
  const updates = [hasher.update(shared(LONG_BYTES)), hasher.update(shared(LONG_BYTES))];
  const failures = Promise.all(updates.map(failureOf));
  await lanes.stop();
  for (const failure of await failures) expect(failure).toContain("Cannot hash");
  expect(await failureOf(hasher.update(shared(4)))).toContain("Cannot hash");
  expect(await failureOf(hasher.digest())).toContain("Cannot hash");
  using next = lanes.open();
  const bytes = shared(LONG_BYTES, 3);
  const done = next.update(bytes);
  next.hurry();
  await done;
  expect(hex(await next.digest())).toBe(md5(bytes));
});

test("where there is one processor there is no thread", () => {
  expect(new Md5Lanes(1).create()).toBeUndefined();
});

test("a thread that waits for work keeps no process alive", async () => {
  const program = `
    const { systemHashes } = await import(${JSON.stringify(import.meta.resolve("./hash.ts"))});
    const hasher = systemHashes.createMd5Apart();
    await hasher?.update(new Uint8Array(${LONG_BYTES}));
    hasher?.[Symbol.dispose]();
    process.stdout.write("hashed");`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
  expect(await new Response(child.stdout).text()).toBe("hashed");
  expect(await child.exited).toBe(0);
});
