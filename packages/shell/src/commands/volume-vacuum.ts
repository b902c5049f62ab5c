import type { VacuumMessage } from "@kelp/wire/management";
import type { Command } from "../command.ts";
import { ShellError, isRefusal } from "../errors.ts";
import { formatShare } from "./volume-list.ts";
import { writeDamage } from "./volume-scrub.ts";

const GARBAGE_THRESHOLD_DEFAULT = "0.3";

export const volumeVacuum: Command = {
  name: "volume.vacuum",
  usage: "[-garbageThreshold <0 … 1>] [-volumeId <id>] [-collection <name>]",
  summary: "free the space of removed content, one volume after another",
  flags: {
    garbageThreshold: {
      kind: "text",
      help: `only volumes with a larger share of garbage; ${GARBAGE_THRESHOLD_DEFAULT} unless a volume is named`,
    },
    volumeId: { kind: "count", help: "only this volume" },
    collection: { kind: "text", help: "only volumes of this collection" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.count("volumeId");
    const collection = flags.text("collection");
    const given = flags.text("garbageThreshold");
    const threshold = parseShare(given ?? (id === undefined ? GARBAGE_THRESHOLD_DEFAULT : "0"));
    const volumes = await client.listVolumes();
    if (id !== undefined && !volumes.some((volume) => volume.id === id)) {
      throw new ShellError("not-found", `There is no volume ${id}`);
    }
    let count = 0;
    let damagedCount = 0;
    const refused: number[] = [];
    for (const volume of volumes) {
      if (id === undefined ? volume.form !== "plain" : volume.id !== id) continue;
      if (collection !== undefined && volume.collection !== collection) continue;
      if (id === undefined && (volume.state === "failed" || volume.state === "missing")) {
        await output.write(`volume ${volume.id}: ${volume.state}, not vacuumed\n`);
        continue;
      }
      if (volume.garbage_ratio <= threshold) continue;
      let report: VacuumMessage;
      try {
        report = await client.vacuumVolume(volume.id);
      } catch (error) {
        // The others are not to wait for what only a person can put right.
        if (id !== undefined || !isRefusal(error)) throw error;
        await output.write(`volume ${volume.id}: ${error.message}\n`);
        refused.push(volume.id);
        continue;
      }
      count += 1;
      damagedCount += report.damaged.length;
      await output.write(
        `volume ${volume.id}: ${formatShare(volume.garbage_ratio)} garbage,` +
          ` ${report.bytes_before} bytes before, ${report.bytes_after} after\n`,
      );
      await writeDamage(output, report.damaged);
    }
    const damaged = damagedCount > 0 ? ` damaged:${damagedCount}` : "";
    await output.write(`vacuumed volumes:${count}${damaged}\n`);
    if (refused.length > 0) {
      throw new ShellError("refused", `Not vacuumed: ${refused.join(", ")}`);
    }
  },
};

function parseShare(text: string): number {
  const share = Number(text);
  if (/^\d*\.?\d+$/.test(text) && share <= 1) return share;
  throw new ShellError("usage", "The flag -garbageThreshold is a number from 0 to 1");
}
