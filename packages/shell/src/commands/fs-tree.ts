import type { Call, Command } from "../command.ts";
import { type Folder, inspect, locationOf, notFound } from "../listing.ts";
import { nameOf, pathOf } from "../location.ts";

export const fsTree: Command = {
  name: "fs.tree",
  usage: "[path]",
  summary: "show everything under a path as a tree",
  flags: {},
  takes: "paths",
  async run(call) {
    const location = locationOf(call, 0);
    const counts = { folders: 0, objects: 0 };
    if (location.kind === "root" || location.kind === "buckets") {
      const buckets = await call.client.listBuckets();
      for (const [index, { name }] of buckets.entries()) {
        counts.folders += 1;
        const isLast = index === buckets.length - 1;
        await call.output.write(`${isLast ? "└── " : "├── "}${name}\n`);
        await branch(call, { bucket: name, prefix: "" }, isLast ? "    " : "│   ", counts);
      }
    } else {
      const { folder } = await inspect(call, location);
      if (folder === undefined) {
        throw notFound(pathOf(location.bucket, location.kind === "object" ? location.key : ""));
      }
      await branch(call, folder, "", counts);
    }
    await call.output.write(`${counts.folders} directories, ${counts.objects} files\n`);
  },
};

async function branch(
  call: Call,
  folder: Folder,
  indent: string,
  counts: { folders: number; objects: number },
): Promise<void> {
  const query = { prefix: folder.prefix, delimiter: "/" } as const;
  // One item behind, so that the last is known as such.
  let held: { readonly name: string; readonly prefix: string | undefined } | undefined;
  const show = async (isLast: boolean): Promise<void> => {
    if (held === undefined) return;
    await call.output.write(`${indent}${isLast ? "└── " : "├── "}${held.name}\n`);
    if (held.prefix === undefined) {
      counts.objects += 1;
      return;
    }
    counts.folders += 1;
    const inner = { bucket: folder.bucket, prefix: held.prefix };
    await branch(call, inner, `${indent}${isLast ? "    " : "│   "}`, counts);
  };
  for await (const item of call.client.eachObject(folder.bucket, query)) {
    if (item.kind === "object" && item.key === folder.prefix) continue;
    await show(false);
    const key = item.kind === "prefix" ? item.prefix : item.key;
    held = { name: nameOf(key), prefix: item.kind === "prefix" ? item.prefix : undefined };
  }
  await show(true);
}
