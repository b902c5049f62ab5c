import { expect, test } from "bun:test";
import type { ByteStream } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { type BodySummary, CHUNK_SIZE_BYTES } from "@kelp/wire";
import { BUFFER_LENT_MS, SMALL_BODY_BYTES_MAX } from "../limits.ts";
import { MemoryVolumeError } from "../testing/memory-volumes.ts";
import type { FilerWorld } from "../testing/world.ts";
import {
  codeOf,
  fileOf,
  noise,
  openTreeWorld,
  pieces,
  read,
  write,
} from "../testing/world-steps.ts";

const MIB = 1024 * 1024;
const KIB = 1024;

/** A client that sends so much and then nothing more until it is let go on. */
class SlowBody {
  readonly bytes: Uint8Array;
  readonly stream: ByteStream;
  readonly #silence = Promise.withResolvers<void>();
  readonly #sent = Promise.withResolvers<void>();

  constructor(sizeBytes: number, sentBytes: number) {
    this.bytes = noise(sizeBytes);
    this.stream = this.#pieces(sentBytes);
  }

  /** Resolves when it has been asked for more than it sent. */
  get sent(): Promise<void> {
    return this.#sent.promise;
  }

  goOn(): void {
    this.#silence.resolve();
  }

  breakOff(error: Error): void {
    this.#silence.reject(error);
  }

  async *#pieces(sentBytes: number): AsyncGenerator<Uint8Array> {
    yield* pieces(this.bytes.subarray(0, sentBytes), 64 * KIB);
    this.#sent.resolve();
    await this.#silence.promise;
    yield* pieces(this.bytes.subarray(sentBytes), 64 * KIB);
  }
}

/** Lets time pass until `work` is done. */
async function passing<Value>(world: FilerWorld, work: Promise<Value>): Promise<Value> {
  const progress = { isDone: false };
  const settled = work.finally(() => {
    progress.isDone = true;
  });
  settled.catch(() => undefined);
  while (!progress.isDone) {
    world.clock.advance(BUFFER_LENT_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return await settled;
}

async function expectContent(world: FilerWorld, path: string, bytes: Uint8Array): Promise<void> {
  expect(Buffer.compare((await read(world, path)) ?? new Uint8Array(1), bytes)).toBe(0);
}

// They stop with much of a chunk, with little of one, and with none.
const SENT = [
  CHUNK_SIZE_BYTES - 64 * KIB,
  CHUNK_SIZE_BYTES + 10 * KIB,
  SMALL_BODY_BYTES_MAX + 64 * KIB,
  2 * CHUNK_SIZE_BYTES,
];

test("bodies whose clients fell silent hold up nobody, and are stored whole when they go on", async () => {
  using world = await openTreeWorld({ writeBudgetBytes: SENT.length * CHUNK_SIZE_BYTES });
  const slow = SENT.map((sentBytes) => new SlowBody(5 * MIB, sentBytes));
  const writing = slow.map(({ stream }, index) => write(world, `slow/${index}`, stream));
  for (const body of slow) await body.sent;
  const body = noise(7 * MIB);
  const others = [0, 1, 2, 3].map((index) => write(world, `${index}`, pieces(body, 64 * KIB)));
  await passing(world, Promise.all(others));
  for (const each of slow) each.goOn();
  await passing(world, Promise.all(writing));
  for (const [index, { bytes }] of slow.entries())
    await expectContent(world, `slow/${index}`, bytes);
  for (const index of others.keys()) await expectContent(world, `${index}`, body);
});

test("the hash of a body that was cut where it stood is that of its bytes", async () => {
  using world = await openTreeWorld({ writeBudgetBytes: CHUNK_SIZE_BYTES });
  const slow = new SlowBody(5 * MIB, SMALL_BODY_BYTES_MAX + 64 * KIB);
  let summary: BodySummary | undefined;
  const writing = world.filer.writeFile({
    ...fileOf("slow", slow.stream),
    describe(found) {
      summary = found;
      return { attributes: {} };
    },
  });
  await slow.sent;
  await passing(world, write(world, "fast", pieces(noise(3 * MIB), 64 * KIB)));
  slow.goOn();
  await passing(world, writing);
  expect(summary?.sizeBytes).toBe(5 * MIB);
  expect(summary?.md5).toEqual(systemHashes.digest("md5", slow.bytes));
});

test("more silent clients than there are buffers hold up nobody", async () => {
  using world = await openTreeWorld({ writeBudgetBytes: 2 * CHUNK_SIZE_BYTES });
  const slow = Array.from({ length: 9 }, () => new SlowBody(MIB, 300 * KIB));
  const writing = slow.map(({ stream }, index) => write(world, `slow/${index}`, stream));
  for (const body of slow) await passing(world, body.sent);
  const body = noise(5 * MIB);
  await passing(world, write(world, "fast", pieces(body, 64 * KIB)));
  for (const each of slow) each.goOn();
  await passing(world, Promise.all(writing));
  for (const [index, { bytes }] of slow.entries())
    await expectContent(world, `slow/${index}`, bytes);
  await expectContent(world, "fast", body);
});

test("while nobody else wants a buffer, a slow body keeps its own", async () => {
  using world = await openTreeWorld({ writeBudgetBytes: 2 * CHUNK_SIZE_BYTES });
  const slow = new SlowBody(3 * MIB, 700 * KIB);
  const writing = write(world, "slow", slow.stream);
  await slow.sent;
  world.clock.advance(100 * BUFFER_LENT_MS);
  await write(world, "fast", pieces(noise(MIB), 64 * KIB));
  slow.goOn();
  const { content } = await writing;
  expect(content.kind === "chunks" && content.chunks.map(({ sizeBytes }) => sizeBytes)).toEqual([
    2 * MIB,
    MIB,
  ]);
});

test("what fails while a buffer is given up is told when the client goes on, and leaves nothing behind", async () => {
  using world = await openTreeWorld({ writeBudgetBytes: CHUNK_SIZE_BYTES });
  const slow = new SlowBody(3 * MIB, 700 * KIB);
  const writing = world.filer.writeFile(fileOf("slow", slow.stream));
  await slow.sent;
  let isFailing = true;
  world.volumes.beforeAppend = () => {
    if (isFailing) throw new MemoryVolumeError("out-of-space");
  };
  const other = world.filer.writeFile(fileOf("other", pieces(noise(MIB), 64 * KIB)));
  expect(await passing(world, codeOf(other))).toBe("out-of-space");
  isFailing = false;
  slow.goOn();
  expect(await passing(world, codeOf(writing))).toBe("out-of-space");
  expect(world.volumes.needleCount).toBe(0);
  await write(world, "next", pieces(noise(MIB), 64 * KIB));
});

test("a client that breaks off after its buffer was given up leaves nothing behind", async () => {
  using world = await openTreeWorld({ writeBudgetBytes: CHUNK_SIZE_BYTES });
  const slow = new SlowBody(3 * MIB, 700 * KIB);
  const writing = write(world, "slow", slow.stream).then(
    () => "written",
    (error: unknown) => String(error),
  );
  await slow.sent;
  await passing(world, write(world, "fast", pieces(noise(MIB), 64 * KIB)));
  // Of the slow one there is a chunk already.
  expect(world.volumes.needleCount).toBe(2);
  slow.breakOff(new Error("gone"));
  expect(await passing(world, writing)).toBe("Error: gone");
  expect(world.volumes.needleCount).toBe(1);
});
