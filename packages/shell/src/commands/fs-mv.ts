import type { Call, Command } from "../command.ts";
import { ShellError } from "../errors.ts";
import { inspect, notFound, requiredLocationOf } from "../listing.ts";
import { type Location, nameOf, pathOf } from "../location.ts";

/** Keys are moved one by one: what was moved before a failure stays moved. */
export const fsMv: Command = {
  name: "fs.mv",
  usage: "<source> <target>",
  summary: "rename an object or a folder in its bucket, or move it into an existing folder",
  flags: {},
  takes: "paths",
  async run(call) {
    const source = requiredLocationOf(call, 0, "source");
    const target = requiredLocationOf(call, 1, "target");
    if (source.kind !== "object") throw new ShellError("usage", "Only keys in a bucket move");
    if (target.kind === "root" || target.kind === "buckets" || target.bucket !== source.bucket) {
      throw new ShellError("usage", "Source and target must be in the same bucket");
    }
    const { bucket, key } = source;
    const { folder, object } = await inspect(call, source);
    if (object === undefined && folder === undefined) throw notFound(pathOf(bucket, key));
    const targetKey = await targetKeyOf(call, key, target);
    if (targetKey === key) throw new ShellError("usage", "Source and target are the same");
    // A key that ends in a slash marks its folder and moves along with what is in it.
    if (object !== undefined && !key.endsWith("/")) {
      await call.client.renameObject(bucket, key, targetKey);
    }
    if (folder === undefined) return;
    const targetPrefix = targetKey.endsWith("/") ? targetKey : `${targetKey}/`;
    if (targetPrefix.startsWith(folder.prefix)) {
      throw new ShellError("usage", "A folder cannot be moved into itself");
    }
    for await (const item of call.client.eachObject(bucket, { prefix: folder.prefix })) {
      if (item.kind !== "object") continue;
      const moved = targetPrefix + item.key.slice(folder.prefix.length);
      await call.client.renameObject(bucket, item.key, moved);
    }
  },
};

/** Into the target when that is a folder or the bucket, else to exactly the target. */
async function targetKeyOf(
  call: Call,
  sourceKey: string,
  target: Extract<Location, { readonly kind: "object" | "bucket" }>,
): Promise<string> {
  if (target.kind === "bucket") return nameOf(sourceKey);
  if (target.key.endsWith("/")) return target.key + nameOf(sourceKey);
  const { folder } = await inspect(call, target);
  return folder === undefined ? target.key : folder.prefix + nameOf(sourceKey);
}
