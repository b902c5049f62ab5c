import type { Command } from "../command.ts";

const BUCKET = { bucket: { kind: "text", help: "name of the bucket" } } as const;
const BOTH = { ...BUCKET, name: { kind: "text", help: "name of the snapshot" } } as const;

export const snapshotCreate: Command = {
  name: "snapshot.create",
  usage: "-bucket <bucket> -name <snapshot>",
  summary: "keep the state of a bucket under a name, to read as <bucket>@<snapshot>",
  flags: BOTH,
  takes: "none",
  async run({ flags, client, output }) {
    const bucket = flags.requiredText("bucket");
    const snapshot = await client.createSnapshot(bucket, flags.requiredText("name"));
    const { name, size_bytes, object_count } = snapshot;
    await output.write(
      `created snapshot ${bucket}@${name} size:${size_bytes} objects:${object_count}\n`,
    );
  },
};

export const snapshotList: Command = {
  name: "snapshot.list",
  usage: "-bucket <bucket>",
  summary: "list the snapshots of a bucket, the oldest first",
  flags: BUCKET,
  takes: "none",
  async run({ flags, client, output }) {
    for (const snapshot of await client.listSnapshots(flags.requiredText("bucket"))) {
      const { name, size_bytes, object_count } = snapshot;
      const time = new Date(snapshot.created_ms).toISOString();
      await output.write(`  ${name}\tsize:${size_bytes}\tobjects:${object_count}\t${time}\n`);
    }
  },
};

export const snapshotDelete: Command = {
  name: "snapshot.delete",
  usage: "-bucket <bucket> -name <snapshot>",
  summary: "delete a snapshot; what only it holds is reclaimed in the background",
  flags: BOTH,
  takes: "none",
  async run({ flags, client, output }) {
    const bucket = flags.requiredText("bucket");
    const name = flags.requiredText("name");
    await client.deleteSnapshot(bucket, name);
    await output.write(`deleted snapshot ${bucket}@${name}\n`);
  },
};
