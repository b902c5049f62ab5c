import { silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { type VolumeStore, openVolumeStore } from "@kelp/volume";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import { MANY_VOLUME_COUNT } from "./many-needles.ts";

/**
 * A process of its own for one measurement of the volume engine, so that memory and processor time are its alone:
 * `append <folder> <clients> <count>`, `read <folder> <clients> <count>` or `open <folder> <needles>`. Prints JSON.
 */

const DATA_BYTES = 1024;
const COOKIE = 0x1122_3344;
/** Reads at random after the opening. */
const OPEN_READS = 100_000;

const [, , job, folder = "", ...words] = process.argv;
const [first = 0, second = 0] = words.map(Number);
const startedMs = performance.now();
await using store = await openVolumeStore({
  disk: systemDisk,
  clock: systemClock,
  hashes: systemHashes,
  log: silentLog,
  folder,
});
if (job === "append") {
  if ((await store.volumes()).length === 0)
    await store.createVolume(volumeId(1), { collection: "" });
  const data = new Uint8Array(DATA_BYTES).fill(7);
  const { needleIdMax } = (await store.volumes())[0] ?? { needleIdMax: 0n };
  const base = Number(needleIdMax) + 1;
  await measureCalls({ clients: first, count: second }, (at) =>
    store.append(fid(1, base + at), data),
  );
} else if (job === "read") {
  const needleCount = (await store.volumes())[0]?.liveCount ?? 0;
  await measureCalls({ clients: first, count: second }, async (at) => {
    const data = await store.read(fid(1, 1 + ((at * 7919) % needleCount)));
    if (data?.length !== DATA_BYTES) throw new Error("a needle is not what was appended");
  });
} else {
  await measureOpening(store, first);
}

function fid(volume: number, id: number): Fid {
  return { volumeId: volumeId(volume), needleId: needleId(BigInt(id)), cookie: COOKIE };
}

async function measureCalls(
  load: { readonly clients: number; readonly count: number },
  call: (at: number) => Promise<unknown>,
): Promise<void> {
  const latencies = new Float64Array(load.count);
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < load.count) {
      const at = next++;
      const beforeMs = performance.now();
      await call(at);
      latencies[at] = performance.now() - beforeMs;
    }
  };
  const cpuBefore = process.cpuUsage();
  const beforeMs = performance.now();
  await Promise.all(Array.from({ length: load.clients }, client));
  const elapsedMs = performance.now() - beforeMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  print({ latenciesMs: [...latencies], elapsedMs, cpuUs: user + system });
}

/** From opening the folder until a needle was read; then needles at random. */
async function measureOpening(opened: VolumeStore, needleCount: number): Promise<void> {
  await readOne(opened, 0, needleCount);
  const firstAnswerMs = performance.now() - startedMs;
  const rssBytes = process.memoryUsage.rss();
  const counted = (await opened.volumes()).reduce((sum, status) => sum + status.liveCount, 0);
  if (counted !== needleCount) throw new Error(`${counted} needles were found`);
  const beforeMs = performance.now();
  const cpuBefore = process.cpuUsage();
  let random = 1;
  for (let count = 0; count < OPEN_READS; count++) {
    random = (Math.imul(random, 0x0019_660d) + 0x3c6e_f35f) >>> 0;
    await readOne(opened, random % needleCount, needleCount);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  print({
    firstAnswerMs,
    rssBytes,
    reads: OPEN_READS,
    readsMs: performance.now() - beforeMs,
    readsCpuUs: user + system,
    rssAfterBytes: process.memoryUsage.rss(),
  });
}

/** Ids are dealt to the volumes in turn, as the master does. */
async function readOne(opened: VolumeStore, at: number, needleCount: number): Promise<void> {
  const data = await opened.read(fid(1 + (at % MANY_VOLUME_COUNT), 1 + (at % needleCount)));
  if (data?.length !== 1) throw new Error(`needle ${at + 1} is not there`);
}

function print(result: unknown): void {
  process.stdout.write(JSON.stringify(result));
}
