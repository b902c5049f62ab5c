import { ErasureCode, silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { type VolumeStore, openVolumeStore } from "@kelp/volume";
import { needleId, volumeId } from "@kelp/wire";
import { type Measurement, quantiles } from "../load.ts";
import { benchFolder } from "../server-process.ts";

const SHAPE = { dataShards: 10, parityShards: 4 };
const PIECE_BYTES = 512 * 1024;
const ROUNDS = 100;
const VOLUME_BYTES = 192 * 1024 * 1024;
const NEEDLE_BYTES = 1024 * 1024;
const ONE = volumeId(1);
/** The jobs are to show what they can do, not to be held to a pace. */
const UNPACED = { bytesPerSec: 1e12 };

/** The kernel in memory, its copies in and out included; and the jobs on a volume, each write of theirs synced and read back. */
export async function erasureSuite(): Promise<Measurement[]> {
  return [...kernel(), ...(await jobs())];
}

function kernel(): Measurement[] {
  const code = new ErasureCode(SHAPE);
  const shards = Array.from({ length: code.shardCount }, (_shard, index) =>
    new Uint8Array(PIECE_BYTES).fill(index + 1),
  );
  const data = shards.slice(0, SHAPE.dataShards);
  const parity = shards.slice(SHAPE.dataShards);
  const numbered = shards.map((bytes, shard) => ({ shard, bytes }));
  return [
    inMemory("kernel: encode 10 + 4", () => code.encode(data, parity)),
    inMemory("kernel: make 4 lost shards of 10", () =>
      code.reconstruct(numbered.slice(4), numbered.slice(0, 4)),
    ),
    inMemory("kernel: make 1 lost shard of 10", () =>
      code.reconstruct(numbered.slice(1, 11), numbered.slice(0, 1)),
    ),
  ];
}

function inMemory(name: string, run: () => void): Measurement {
  run();
  const latencies = new Float64Array(ROUNDS);
  const cpuBefore = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now();
    run();
    latencies[round] = performance.now() - startedMs;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuUs = user + system;
  return {
    name,
    clients: 1,
    operations: ROUNDS,
    ratePerSec: (ROUNDS * 1e6) / cpuUs,
    ...quantiles(latencies),
    serverCpuUsPerOperation: cpuUs / ROUNDS,
    serverRssBytes: process.memoryUsage.rss(),
    // Of data, by processor time: other work on the machine does not count against it.
    throughputMbPerSec: (ROUNDS * SHAPE.dataShards * PIECE_BYTES) / cpuUs,
  };
}

async function jobs(): Promise<Measurement[]> {
  using folder = benchFolder();
  await using store = await openVolumeStore({
    disk: systemDisk,
    clock: systemClock,
    hashes: systemHashes,
    log: silentLog,
    folders: ["a", "b", "c"].map((name) => ({ path: `${folder.path}/${name}` })),
  });
  await fill(store);
  const encode = await once("encode a volume, verified", () => store.encodeVolume(ONE, UNPACED));
  const decode = await once("decode it, verified", () => store.decodeVolume(ONE, UNPACED));
  return [encode, decode];
}

async function fill(store: VolumeStore): Promise<void> {
  await store.createVolume(ONE, { collection: "" });
  const data = new Uint8Array(NEEDLE_BYTES);
  for (let count = 1; count <= VOLUME_BYTES / NEEDLE_BYTES; count++) {
    crypto.getRandomValues(data.subarray(0, 65_536));
    await store.append({ volumeId: ONE, needleId: needleId(BigInt(count)), cookie: 1 }, data);
  }
  await store.setWritable(ONE, "read-only");
}

async function once(name: string, run: () => Promise<void>): Promise<Measurement> {
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  await run();
  const elapsedMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    name,
    clients: 1,
    operations: 1,
    ratePerSec: 1000 / elapsedMs,
    ...quantiles(Float64Array.of(elapsedMs)),
    serverCpuUsPerOperation: user + system,
    serverRssBytes: process.memoryUsage.rss(),
    throughputMbPerSec: VOLUME_BYTES / 1000 / elapsedMs,
  };
}
