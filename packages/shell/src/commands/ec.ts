import type { Command } from "../command.ts";

export const ecEncode: Command = {
  name: "ec.encode",
  usage: "-volumeId <id> [-dataShards <n>] [-parityShards <n>]",
  summary: "turn a full or read-only volume into shards, spread over the disks",
  flags: {
    volumeId: { kind: "count", help: "the volume" },
    dataShards: { kind: "count", help: "so many hold the content, and are enough to read it; 10" },
    parityShards: { kind: "count", help: "so many more, which may be lost; 4" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.requiredCount("volumeId");
    const dataShards = flags.count("dataShards");
    const parityShards = flags.count("parityShards");
    await client.encodeVolume(id, {
      ...(dataShards !== undefined && { data_shards: dataShards }),
      ...(parityShards !== undefined && { parity_shards: parityShards }),
    });
    await output.write(`volume ${id} is erasure-coded\n`);
  },
};

export const ecDecode: Command = {
  name: "ec.decode",
  usage: "-volumeId <id>",
  summary: "turn shards back into a volume file",
  flags: { volumeId: { kind: "count", help: "the volume" } },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.requiredCount("volumeId");
    await client.decodeVolume(id);
    await output.write(`volume ${id} is plain\n`);
  },
};

export const ecRebuild: Command = {
  name: "ec.rebuild",
  usage: "[-volumeId <id>] [-collection <name>]",
  summary: "make shards that are missing or damaged anew from the others",
  flags: {
    volumeId: { kind: "count", help: "only this volume; else all that lack shards" },
    collection: { kind: "text", help: "only volumes of this collection" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.count("volumeId");
    const collection = flags.text("collection");
    const ids = id === undefined ? [] : [id];
    if (id === undefined) {
      for (const volume of await client.listVolumes()) {
        if (collection !== undefined && volume.collection !== collection) continue;
        if ((volume.shards?.missing.length ?? 0) > 0) ids.push(volume.id);
      }
    }
    let count = 0;
    for (const each of ids) {
      const { rebuilt } = await client.rebuildVolume(each);
      count += rebuilt.length;
      await output.write(
        rebuilt.length === 0
          ? `volume ${each}: no shard is missing\n`
          : `volume ${each}: shards made anew: ${rebuilt.join(",")}\n`,
      );
    }
    await output.write(`rebuilt shards:${count}\n`);
  },
};
