import type { Command } from "../command.ts";
import { ShellError } from "../errors.ts";
import type { ParsedFlags } from "../flags.ts";
import type { QuotaChange } from "../management-client.ts";

const MIB = 1024 * 1024;
const OPERATIONS = "get, set or remove";

export const bucketQuota: Command = {
  name: "s3.bucket.quota",
  usage: "-name <bucket> -op <get|set|remove> [-sizeMB <count>] [-objects <count>]",
  summary: "show, set or remove the quota of a bucket",
  flags: {
    name: { kind: "text", help: "name of the bucket" },
    op: { kind: "text", help: `${OPERATIONS}; set leaves a bound that is not named` },
    sizeMB: { kind: "count", help: "bound of the size, in units of 1048576 bytes" },
    objects: { kind: "count", help: "bound of the count of objects" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const name = flags.requiredText("name");
    const operation = flags.text("op") ?? "get";
    if (operation === "set") await client.setQuota(name, wantedQuota(flags));
    else if (operation === "remove") {
      await client.setQuota(name, { quota_bytes: null, quota_objects: null });
    } else if (operation !== "get") {
      throw new ShellError("usage", `The flag -op is ${OPERATIONS}`);
    }
    const bucket = (await client.listBuckets()).find((candidate) => candidate.name === name);
    if (bucket === undefined) throw new ShellError("not-found", `There is no bucket ${name}`);
    const { quota_bytes, size_bytes, quota_objects, object_count } = bucket;
    let line = `bucket ${name} quota:${quota_bytes ?? "none"} size:${size_bytes}`;
    if (quota_objects !== null) line += ` quota_objects:${quota_objects} objects:${object_count}`;
    await output.write(`${line}\n`);
  },
};

/** The bounds that are named; the others stay as they are. */
function wantedQuota(flags: ParsedFlags): QuotaChange {
  const sizeMib = flags.count("sizeMB");
  const objects = flags.count("objects");
  if (sizeMib === undefined && objects === undefined) {
    throw new ShellError("usage", "One of -sizeMB and -objects is required to set");
  }
  if (sizeMib !== undefined && !Number.isSafeInteger(sizeMib * MIB)) {
    throw new ShellError("usage", "The flag -sizeMB is too large");
  }
  return {
    ...(sizeMib !== undefined && { quota_bytes: sizeMib * MIB }),
    ...(objects !== undefined && { quota_objects: objects }),
  };
}
