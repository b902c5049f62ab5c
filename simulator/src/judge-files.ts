import { must } from "@kelp/base";
import type { DiskImage } from "@kelp/base/testing";
import {
  type ByteSource,
  checkShards,
  checkVolume,
  parseVolumeInfo,
  sourceOf,
} from "@kelp/conformance/checker";
import { isAnythingRunning } from "./judge.ts";
import { REMOTE_FOLDER, SHARD_BLOCKS } from "./store-rig.ts";
import type { WorkloadRecord } from "./workload.ts";

const BLOCKS = {
  largeBytes: SHARD_BLOCKS.largeBlockBytes,
  smallBytes: SHARD_BLOCKS.smallBlockBytes,
};

/**
 * Reads the volume files of a store that was closed, with the checker that shares no code with it: every byte belongs to
 * a record, every record is whole, and the index says the same. A cut may leave a torn record only where something was running.
 */
export function judgeVolumes(image: DiskImage, record: WorkloadRecord, moment: number): void {
  if (!record.hasFailures) judgeAllShards(image);
  if (isAnythingRunning(record, moment)) return;
  for (const [path, data] of image) {
    if (data === undefined || !path.endsWith(".dat")) continue;
    // The index of a volume that lives elsewhere knows of removals that its file does not.
    const isRemote = path.startsWith(REMOTE_FOLDER);
    const index = isRemote ? undefined : image.get(path.replace(/dat$/, "idx"));
    const { problems } = checkVolume({ data: sourceOf(data), index: index && sourceOf(index) });
    if (problems.length > 0) throw new Error(`${path}: ${problems.join("; ")}`);
  }
}

/** Shards are whole or not there after every cut: bits that the workload flipped a scrub has made good before. */
function judgeAllShards(image: DiskImage): void {
  for (const [path, bytes] of image) {
    if (bytes !== undefined && path.endsWith(".ecx")) {
      judgeShards(image, path.slice(0, -".ecx".length));
    }
  }
}

function judgeShards(image: DiskImage, base: string): void {
  const file = (end: string): ByteSource | undefined => {
    const bytes = image.get(`${base}${end}`);
    return bytes && sourceOf(bytes);
  };
  const shards = new Map<number, ByteSource>();
  for (let number = 0; number < 100; number++) {
    const shard = file(`.ec${String(number).padStart(2, "0")}`);
    if (shard !== undefined) shards.set(number, shard);
  }
  const info = parseVolumeInfo(Buffer.from(image.get(`${base}.vif`) ?? "{}").toString());
  const parts = { shards, index: must(file(".ecx")), journal: file(".ecj"), sums: file(".ecsum") };
  const problems = checkShards({ ...parts, info }, BLOCKS);
  if (shards.size !== info.dataShards + info.parityShards) problems.push("shards are missing");
  if (problems.length > 0) throw new Error(`${base}: ${problems.join("; ")}`);
}
