import type { VolumeMessage } from "@kelp/wire/management";
import type { Command } from "../command.ts";

/** From 0 to 1, as `12.5%`. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function describePlace({ shards, backend }: VolumeMessage): string {
  if (backend !== null) return ` backend:${backend}`;
  if (shards === null) return "";
  const missing = shards.missing.length > 0 ? ` missing_shards:${shards.missing.join(",")}` : "";
  return ` shards:${shards.data}+${shards.parity}${missing}`;
}

function describeHolder({ holder }: VolumeMessage): string {
  return holder === null ? "" : ` holder:"${holder}"`;
}

export const volumeList: Command = {
  name: "volume.list",
  usage: "[-volumeId <id>] [-collection <name>] [-writable] [-readonly]",
  summary: "list all volumes with their sizes, counts, garbage, state and form",
  flags: {
    volumeId: { kind: "count", help: "only this volume" },
    collection: { kind: "text", help: "only volumes of this collection" },
    writable: { kind: "switch", help: "only volumes that take writes" },
    readonly: { kind: "switch", help: "only volumes that do not" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.count("volumeId");
    const collection = flags.text("collection");
    let count = 0;
    let sizeBytes = 0;
    for (const volume of await client.listVolumes()) {
      const isWritable = volume.state === "writable";
      if (id !== undefined && volume.id !== id) continue;
      if (collection !== undefined && volume.collection !== collection) continue;
      if ((flags.isOn("writable") && !isWritable) || (flags.isOn("readonly") && isWritable)) {
        continue;
      }
      count += 1;
      sizeBytes += volume.size_bytes;
      await output.write(
        `  volume id:${volume.id} size:${volume.size_bytes} collection:"${volume.collection}"` +
          ` file_count:${volume.live_count} live_bytes:${volume.live_bytes}` +
          ` delete_count:${volume.deleted_count} deleted_byte_count:${volume.deleted_bytes}` +
          ` garbage:${formatShare(volume.garbage_ratio)} state:${volume.state}${describeHolder(volume)} form:${volume.form}` +
          `${describePlace(volume)} disk:${volume.disk}${volume.damaged_count > 0 ? ` damaged:${volume.damaged_count}` : ""}\n`,
      );
    }
    await output.write(`total size:${sizeBytes} volume_count:${count}\n`);
  },
};
