import type { Command } from "../command.ts";
import { ShellError } from "../errors.ts";
import { notFound, requiredLocationOf } from "../listing.ts";
import { pathOf } from "../location.ts";

export const fsMetaCat: Command = {
  name: "fs.meta.cat",
  usage: "<path>",
  summary: "show the entry of an object as the filer keeps it",
  flags: {},
  takes: "paths",
  async run(call) {
    const location = requiredLocationOf(call, 0, "path");
    if (location.kind !== "object") throw new ShellError("usage", "Only an object has an entry");
    const { bucket, key } = location;
    const entry = await call.client.entry(bucket, key);
    if (entry === undefined) throw notFound(pathOf(bucket, key));
    await call.output.write(`${JSON.stringify(entry, undefined, 2)}\n`);
  },
};
