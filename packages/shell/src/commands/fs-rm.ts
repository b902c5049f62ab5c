import type { Call, Command } from "../command.ts";
import { ShellError } from "../errors.ts";
import { inspect, notFound, requiredLocationOf } from "../listing.ts";
import { type Location, pathOf } from "../location.ts";

export const fsRm: Command = {
  name: "fs.rm",
  usage: "[-r] [-f] <path> …",
  summary: "delete objects; with -r also folders and buckets with all in them",
  flags: {
    r: { kind: "switch", help: "all keys under the path as well" },
    f: { kind: "switch", help: "no error for what is not there" },
    rf: { kind: "switch", help: "both" },
  },
  takes: "paths",
  async run(call) {
    const locations = call.flags.rest.map((_, index) => requiredLocationOf(call, index, "path"));
    if (locations.length === 0) throw new ShellError("usage", "The path is missing");
    for (const location of locations) await remove(call, location);
  },
};

async function remove(call: Call, location: Location): Promise<void> {
  const { flags, client } = call;
  if (location.kind === "root" || location.kind === "buckets") {
    throw new ShellError("usage", "Name a bucket or a key: all buckets at once are not deleted");
  }
  const isRecursive = flags.isOn("r") || flags.isOn("rf");
  if (location.kind === "bucket") {
    const { bucket } = location;
    if (isRecursive && (await client.listSnapshots(bucket)).length > 0) {
      throw new ShellError(
        "refused",
        `Bucket ${bucket} has snapshots: delete them, or use s3.bucket.delete -force`,
      );
    }
    await client.deleteBucket(bucket, isRecursive ? "discard" : "refuse");
    return;
  }
  const { bucket, key } = location;
  const { folder, object } = await inspect(call, location);
  if (object === undefined && folder === undefined) {
    if (flags.isOn("f") || flags.isOn("rf")) return;
    throw notFound(pathOf(bucket, key));
  }
  if (object === undefined && !isRecursive) {
    throw new ShellError("usage", `${pathOf(bucket, key)} is a folder: use -r`);
  }
  if (object !== undefined) await client.deleteObject(bucket, key);
  if (folder !== undefined && isRecursive) await client.deleteObjects(bucket, folder.prefix);
}
