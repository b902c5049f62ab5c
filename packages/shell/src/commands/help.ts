import type { Command } from "../command.ts";
import { ShellError } from "../errors.ts";

/** `help`: all commands with a line each; `help <command>`: one with its flags. */
export function helpFor(commands: readonly Command[]): Command {
  const help: Command = {
    name: "help",
    usage: "[command]",
    summary: "show all commands, or the flags of one",
    flags: {},
    takes: "names",
    async run({ flags, output }) {
      const all = [...commands, help].sort((left, right) => (left.name < right.name ? -1 : 1));
      const [wanted] = flags.rest;
      if (wanted === undefined) {
        const width = Math.max(...all.map(({ name }) => name.length));
        for (const { name, summary } of all) {
          await output.write(`  ${name.padEnd(width)}  ${summary}\n`);
        }
        return;
      }
      const command = all.find(({ name }) => name === wanted);
      if (command === undefined) throw new ShellError("usage", `There is no command ${wanted}`);
      await output.write(`${command.name} ${command.usage}\n  ${command.summary}\n`);
      for (const [name, spec] of Object.entries(command.flags)) {
        await output.write(
          `  -${name}${spec.kind === "switch" ? "" : ` <${spec.kind}>`}: ${spec.help}\n`,
        );
      }
    },
  };
  return help;
}
