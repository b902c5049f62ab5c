import type { Command } from "../command.ts";
import { inspect, locationOf, notFound } from "../listing.ts";
import { pathOf } from "../location.ts";

export const fsCd: Command = {
  name: "fs.cd",
  usage: "[path]",
  summary: "change the directory that paths start from; without a path to /",
  flags: {},
  takes: "paths",
  async run(call) {
    const { session, flags, client } = call;
    if (flags.rest[0] === undefined) {
      session.directory = "/";
      return;
    }
    const location = locationOf(call, 0);
    if (location.kind === "root") session.directory = "/";
    else if (location.kind === "buckets") session.directory = "/buckets";
    else if (location.kind === "bucket") {
      const buckets = await client.listBuckets();
      const { bucket } = location;
      if (!buckets.some(({ name }) => name === bucket)) throw notFound(pathOf(bucket, ""));
      session.directory = pathOf(bucket, "");
    } else {
      const { folder } = await inspect(call, location);
      if (folder === undefined) throw notFound(pathOf(location.bucket, location.key));
      session.directory = pathOf(folder.bucket, folder.prefix).replace(/\/$/, "");
    }
  },
};

export const fsPwd: Command = {
  name: "fs.pwd",
  usage: "",
  summary: "show the directory that paths start from",
  flags: {},
  takes: "none",
  async run({ session, output }) {
    await output.write(`${session.directory}\n`);
  },
};
