import type { Command } from "../command.ts";
import { ShellError } from "../errors.ts";

export const volumeMark: Command = {
  name: "volume.mark",
  usage: "-volumeId <id> -readonly|-writable",
  summary: "let a volume take writes, or none",
  flags: {
    volumeId: { kind: "count", help: "the volume" },
    readonly: { kind: "switch", help: "it takes no writes from now on" },
    writable: { kind: "switch", help: "it takes writes again" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.requiredCount("volumeId");
    if (flags.isOn("readonly") === flags.isOn("writable")) {
      throw new ShellError("usage", "One of -readonly and -writable is required");
    }
    const state = flags.isOn("readonly") ? "read-only" : "writable";
    await client.markVolume(id, state);
    await output.write(`volume ${id} is ${state}\n`);
  },
};

export const volumeDelete: Command = {
  name: "volume.delete",
  usage: "-volumeId <id> [-force]",
  summary: "delete a volume and its files",
  flags: {
    volumeId: { kind: "count", help: "the volume" },
    force: { kind: "switch", help: "also when needles live in it: what refers to them is lost" },
  },
  takes: "none",
  async run({ flags, client, output }) {
    const id = flags.requiredCount("volumeId");
    await client.deleteVolume(id, flags.isOn("force") ? "delete" : "refuse");
    await output.write(`deleted volume ${id}\n`);
  },
};
