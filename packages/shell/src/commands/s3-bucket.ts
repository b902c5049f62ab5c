import type { Command } from "../command.ts";

export const bucketList: Command = {
  name: "s3.bucket.list",
  usage: "",
  summary: "list all buckets with their sizes",
  flags: {},
  takes: "none",
  async run({ client, output }) {
    for (const bucket of await client.listBuckets()) {
      const { name, size_bytes, object_count, chunk_count, quota_bytes, quota_objects } = bucket;
      let line = `  ${name}\tsize:${size_bytes}\tchunk:${chunk_count}`;
      if (quota_bytes !== null) {
        const used = quota_bytes === 0 ? 100 : (size_bytes / quota_bytes) * 100;
        line += `\tquota:${quota_bytes}\tusage:${used.toFixed(2)}%`;
      }
      if (quota_objects !== null) line += `\tobjects:${object_count}/${quota_objects}`;
      await output.write(`${line}\n`);
    }
  },
};

const NAME = { name: { kind: "text", help: "name of the bucket" } } as const;

export const bucketCreate: Command = {
  name: "s3.bucket.create",
  usage: "-name <bucket>",
  summary: "create a bucket",
  flags: NAME,
  takes: "none",
  async run({ flags, client, output }) {
    const name = flags.requiredText("name");
    await output.write("create bucket under /buckets\n");
    await client.createBucket(name);
    await output.write(`created bucket ${name}\n`);
  },
};

export const bucketDelete: Command = {
  name: "s3.bucket.delete",
  usage: "-name <bucket> [-force]",
  summary: "delete an empty bucket; with -force also what is in it",
  flags: {
    ...NAME,
    force: { kind: "switch", help: "discard all objects and snapshots of the bucket" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const name = flags.requiredText("name");
    await client.deleteBucket(name, flags.isOn("force") ? "discard" : "refuse");
    await output.write(`deleted bucket ${name}\n`);
  },
};
