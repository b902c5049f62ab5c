import { Command } from "commander";
import { type CommandLine, examples } from "../command-line.ts";
import { DIR_OPTION } from "../data-folder-path.ts";
import { addFlags, givenFlags } from "../options/flags.ts";

interface ShellFlags {
  readonly command?: string;
  readonly server?: string;
}

/** `kelp shell`: the classic shell's commands, typed, piped, or given with `-c`. */
export function shellCommand(line: CommandLine): Command {
  const command = new Command("shell")
    .description("Work on buckets, files, keys and volumes by command; help lists the commands")
    .option("-c, --command <LINE>", "run this line, commands separated by semicolons, and end")
    .option("--server <URL>", "console address of a server elsewhere; its token in KELP_TOKEN");
  addFlags(command, [DIR_OPTION]);
  return command
    .addHelpText(
      "after",
      examples([
        ["kelp shell", "type commands"],
        ['kelp shell -c "s3.bucket.list; fs.ls /buckets/first"', "run some"],
        ["kelp shell < commands.txt", "run a file of them"],
      ]),
    )
    .action(async (flags: ShellFlags, self: Command) => {
      // Loaded here so that other commands need not wait for it.
      const { findServer } = await import("../management-client.ts");
      const { runShell } = await import("../run-shell.ts");
      const server = findServer(line, {
        server: flags.server,
        flags: givenFlags(self, [DIR_OPTION]),
      });
      line.exitWith(await runShell(server, flags.command, line.environment));
    });
}
