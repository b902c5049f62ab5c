import { EMPTY_BYTES } from "@kelp/base";
import type { Command } from "../command.ts";
import { ShellError } from "../errors.ts";
import { requiredLocationOf } from "../listing.ts";

export const fsMkdir: Command = {
  name: "fs.mkdir",
  usage: "<path>",
  summary: "create a bucket, or an empty object that ends in a slash and shows as a folder",
  flags: {},
  takes: "paths",
  async run(call) {
    const location = requiredLocationOf(call, 0, "path");
    if (location.kind === "bucket") await call.client.createBucket(location.bucket);
    else if (location.kind === "object") {
      const { bucket, key } = location;
      const marker = key.endsWith("/") ? key : `${key}/`;
      await call.client.putObject(bucket, marker, new Uint8Array(EMPTY_BYTES));
    } else throw new ShellError("usage", "It is there already");
  },
};
