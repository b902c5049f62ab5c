import type { VolumeMessage } from "@kelp/wire/management";
import type { Command } from "../command.ts";
import { ShellError, isRefusal } from "../errors.ts";

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
  summary:
    "read all shards; those that are missing, short or damaged are made anew from the others",
  flags: {
    volumeId: { kind: "count", help: "only this volume; else every one of shards" },
    collection: { kind: "text", help: "only volumes of this collection" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.count("volumeId");
    const collection = flags.text("collection");
    const ids = id === undefined ? volumesOfShards(await client.listVolumes(), collection) : [id];
    let count = 0;
    const refused: number[] = [];
    for (const each of ids) {
      let rebuilt: readonly number[];
      try {
        ({ rebuilt } = await client.rebuildVolume(each));
      } catch (error) {
        // The others are not to wait for what only a person can put right.
        if (id !== undefined || !isRefusal(error)) throw error;
        await output.write(`volume ${each}: ${error.message}\n`);
        refused.push(each);
        continue;
      }
      count += rebuilt.length;
      await output.write(
        rebuilt.length === 0
          ? `volume ${each}: every shard is whole\n`
          : `volume ${each}: shards made anew: ${rebuilt.join(",")}\n`,
      );
    }
    await output.write(`rebuilt shards:${count}\n`);
    if (refused.length > 0) throw new ShellError("refused", `Not rebuilt: ${refused.join(", ")}`);
  },
};

/** Those that are known to lack shards first: the others only may. */
function volumesOfShards(
  volumes: readonly VolumeMessage[],
  collection: string | undefined,
): readonly number[] {
  const ofShards = volumes.filter(
    (volume) =>
      volume.form === "erasure-coded" &&
      (collection === undefined || volume.collection === collection),
  );
  const lacking = ({ shards }: VolumeMessage): boolean => (shards?.missing.length ?? 0) > 0;
  return [...ofShards.filter(lacking), ...ofShards.filter((volume) => !lacking(volume))].map(
    (volume) => volume.id,
  );
}
