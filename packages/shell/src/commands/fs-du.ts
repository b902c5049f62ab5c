import type { Call, Command } from "../command.ts";
import { inspect, locationOf, notFound } from "../listing.ts";
import { pathOf } from "../location.ts";

export const fsDu: Command = {
  name: "fs.du",
  usage: "[path]",
  summary: "add up chunks and sizes under a path",
  flags: {},
  takes: "paths",
  async run(call) {
    const location = locationOf(call, 0);
    if (location.kind === "root" || location.kind === "buckets") {
      for (const bucket of await call.client.listBuckets()) {
        await line(call, bucket.chunk_count, bucket.size_bytes, pathOf(bucket.name, ""));
      }
      return;
    }
    const { folder, object } = await inspect(call, location);
    if (folder === undefined && object === undefined && location.kind === "object") {
      throw notFound(pathOf(location.bucket, location.key));
    }
    let chunkCount = object?.chunk_count ?? 0;
    let sizeBytes = object?.size_bytes ?? 0;
    if (folder !== undefined) {
      for await (const item of call.client.eachObject(folder.bucket, { prefix: folder.prefix })) {
        // The folder's own marker was counted as the object.
        if (item.kind !== "object" || item.key === object?.key) continue;
        chunkCount += item.chunk_count;
        sizeBytes += item.size_bytes;
      }
    }
    const key = location.kind === "object" ? location.key : "";
    await line(call, chunkCount, sizeBytes, pathOf(location.bucket, key));
  },
};

async function line(call: Call, chunks: number, sizeBytes: number, path: string): Promise<void> {
  const chunkText = String(chunks).padStart(4);
  const sizeText = String(sizeBytes).padStart(10);
  await call.output.write(`block:${chunkText}\tlogical size:${sizeText}\t${path}\n`);
}
