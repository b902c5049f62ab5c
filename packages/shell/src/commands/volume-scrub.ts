import type { DamageMessage, ScrubMessage } from "@kelp/wire/management";
import type { Command } from "../command.ts";
import { ShellError, isRefusal } from "../errors.ts";

/** A line for each. */
export async function writeDamage(
  output: Parameters<Command["run"]>[0]["output"],
  damaged: readonly DamageMessage[],
): Promise<void> {
  for (const { what, offset_bytes, reason } of damaged) {
    await output.write(`  damaged ${what} at ${offset_bytes}: ${reason}\n`);
  }
}

export const volumeScrub: Command = {
  name: "volume.scrub",
  usage: "[-volumeId <id>] [-collection <name>]",
  summary: "read everything against its checksums; damage is repaired or listed",
  flags: {
    volumeId: { kind: "count", help: "only this volume" },
    collection: { kind: "text", help: "only volumes of this collection" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.count("volumeId");
    const collection = flags.text("collection");
    const volumes = await client.listVolumes();
    if (id !== undefined && !volumes.some((volume) => volume.id === id)) {
      throw new ShellError("not-found", `There is no volume ${id}`);
    }
    let damagedCount = 0;
    const refused: number[] = [];
    for (const volume of volumes) {
      if (id !== undefined && volume.id !== id) continue;
      if (collection !== undefined && volume.collection !== collection) continue;
      if (id === undefined && (volume.state === "failed" || volume.state === "missing")) {
        await output.write(`volume ${volume.id}: ${volume.state}, not read\n`);
        continue;
      }
      let report: ScrubMessage;
      try {
        report = await client.scrubVolume(volume.id);
      } catch (error) {
        // The others are not to wait for what only a person can put right.
        if (id !== undefined || !isRefusal(error)) throw error;
        await output.write(`volume ${volume.id}: ${error.message}\n`);
        refused.push(volume.id);
        continue;
      }
      await output.write(
        `volume ${volume.id}: ${report.checked_count} checked (${report.checked_bytes} bytes),` +
          ` ${report.repaired.length} repaired, ${report.damaged.length} damaged\n`,
      );
      await writeDamage(output, report.damaged);
      damagedCount += report.damaged.length;
    }
    await output.write(`damaged:${damagedCount}\n`);
    if (refused.length > 0) throw new ShellError("refused", `Not read: ${refused.join(", ")}`);
  },
};
