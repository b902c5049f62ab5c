import type { Command } from "../command.ts";

export const tierUpload: Command = {
  name: "volume.tier.upload",
  usage: "-volumeId <id> -dest <store>",
  summary: "move the file of a full or read-only volume to a remote store; the index stays",
  flags: {
    volumeId: { kind: "count", help: "the volume" },
    dest: { kind: "text", help: "name of the remote store, as the server's --volume.tier has it" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.requiredCount("volumeId");
    const backend = flags.requiredText("dest");
    await client.uploadVolume(id, backend);
    await output.write(`volume ${id} is in ${backend}\n`);
  },
};

export const tierDownload: Command = {
  name: "volume.tier.download",
  usage: "-volumeId <id>",
  summary: "bring the file of a volume back from its remote store",
  flags: { volumeId: { kind: "count", help: "the volume" } },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.requiredCount("volumeId");
    await client.downloadVolume(id);
    await output.write(`volume ${id} is plain\n`);
  },
};
