import { Command } from "commander";
import { type CommandLine, examples } from "../command-line.ts";
import { DIR_OPTION, dataFolderPath } from "../data-folder-path.ts";
import { addFlags, givenFlags } from "../options/flags.ts";

/** `kelp env`: what clients need to know, as lines for a shell. */
export function envCommand(line: CommandLine): Command {
  const command = new Command("env").description(
    "Print the settings of clients for the server that runs on this machine, as shell commands",
  );
  addFlags(command, [DIR_OPTION]);
  return command
    .addHelpText(
      "after",
      examples([
        ['eval "$(kelp env)"', "then aws, boto3, s3fs and kfp find the server"],
        ["kelp env --dir /srv/kelp", "of the server with that data folder"],
      ]),
    )
    .action(async (_options: unknown, self: Command) => {
      const dir = dataFolderPath(line, givenFlags(self, [DIR_OPTION]));
      // Loaded here so that other commands need not wait for it.
      const { clientEnvironment, shellQuoted } = await import("../client-environment.ts");
      for (const [name, value] of Object.entries(clientEnvironment(dir))) {
        line.out(`export ${name}=${shellQuoted(value)}`);
      }
    });
}
