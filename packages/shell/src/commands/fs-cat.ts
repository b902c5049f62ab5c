import type { Command } from "../command.ts";
import { ShellError } from "../errors.ts";
import { requiredLocationOf } from "../listing.ts";

export const fsCat: Command = {
  name: "fs.cat",
  usage: "<path>",
  summary: "write out the content of an object",
  flags: {},
  takes: "paths",
  async run(call) {
    const location = requiredLocationOf(call, 0, "path");
    if (location.kind !== "object") throw new ShellError("usage", "Only an object has content");
    const content = await call.client.readObject(location.bucket, location.key);
    for await (const piece of content) await call.output.write(piece);
  },
};
