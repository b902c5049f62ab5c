import type { Command } from "../command.ts";
import { ShellError } from "../errors.ts";

const MIB = 1024 * 1024;
const OPERATIONS = "get, set or remove";

export const bucketQuota: Command = {
  name: "s3.bucket.quota",
  usage: "-name <bucket> -op <get|set|remove> [-sizeMB <count>]",
  summary: "show, set or remove the quota of a bucket",
  flags: {
    name: { kind: "text", help: "name of the bucket" },
    op: { kind: "text", help: OPERATIONS },
    sizeMB: { kind: "count", help: "quota in units of 1048576 bytes, for set" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const name = flags.requiredText("name");
    const operation = flags.text("op") ?? "get";
    if (operation === "set") {
      const size = flags.count("sizeMB");
      if (size === undefined) throw new ShellError("usage", "The flag -sizeMB is required to set");
      if (!Number.isSafeInteger(size * MIB)) {
        throw new ShellError("usage", "The flag -sizeMB is too large");
      }
      await client.setQuota(name, size * MIB);
    } else if (operation === "remove") {
      await client.setQuota(name, undefined);
    } else if (operation !== "get") {
      throw new ShellError("usage", `The flag -op is ${OPERATIONS}`);
    }
    const bucket = (await client.listBuckets()).find((candidate) => candidate.name === name);
    if (bucket === undefined) throw new ShellError("not-found", `There is no bucket ${name}`);
    const { quota_bytes, size_bytes } = bucket;
    await output.write(`bucket ${name} quota:${quota_bytes ?? "none"} size:${size_bytes}\n`);
  },
};
