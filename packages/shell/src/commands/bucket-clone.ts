import type { Command } from "../command.ts";

export const bucketClone: Command = {
  name: "bucket.clone",
  usage: "-from <bucket>[@<snapshot>] -to <bucket>",
  summary: "make a bucket that begins as a copy of another, or of a snapshot of it",
  flags: {
    from: { kind: "text", help: "the bucket as it is, or as it was at a snapshot" },
    to: { kind: "text", help: "name of the new bucket; it becomes yours" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const from = flags.requiredText("from");
    const bucket = await client.cloneBucket(from, flags.requiredText("to"));
    const { name, size_bytes, object_count } = bucket;
    await output.write(
      `cloned ${from} to bucket ${name} size:${size_bytes} objects:${object_count}\n`,
    );
  },
};
