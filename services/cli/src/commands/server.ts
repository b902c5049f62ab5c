import { Command } from "commander";
import { type CommandLine, examples } from "../command-line.ts";
import { dataFolderPath } from "../data-folder-path.ts";
import { addFlags, givenFlags } from "../options/flags.ts";
import { SERVER_OPTIONS } from "../options/server-options.ts";
import { repositoryPath } from "../repository.ts";
import { KELP_VERSION } from "../version.ts";

/** `kelp server`: everything on one machine, until a signal ends it. */
export function serverCommand(line: CommandLine): Command {
  const command = new Command("server")
    .description("Run the store, the pipelines and the console on this machine")
    .option("--config <FILE>", "YAML file with any of the options below (KELP_CONFIG)");
  addFlags(command, SERVER_OPTIONS);
  return command
    .addHelpText(
      "after",
      examples([
        ["kelp server", "data in ./kelp-data, for this machine only"],
        ["kelp server --dir /srv/kelp --ip.bind 0.0.0.0", "for the network"],
        ["kelp server --s3.port 0 --ready-file ready.json", "on a free port, for scripts"],
        ["kelp server --config kelp.yaml --log.format json", "as a service"],
      ]) +
        "\n\nA flag wins over its environment variable, that over the configuration file.\n" +
        "KELP_ROOT_ACCESS_KEY and KELP_ROOT_SECRET_KEY set the root key pair; without them it is made at the first start.",
    )
    .action(async (options: { readonly config?: string }, self: Command) => {
      // Loaded here so that other commands need not wait for it.
      const { serverSettings } = await import("../server-settings.ts");
      const { shellQuoted } = await import("../client-environment.ts");
      const { runServer } = await import("@kelp/all-in-one");
      const settings = serverSettings({
        flags: givenFlags(self, SERVER_OPTIONS),
        configFile: options.config,
        environment: line.environment,
        currentFolder: line.currentFolder,
      });
      const status = await runServer(settings, {
        version: KELP_VERSION,
        consoleFolder: repositoryPath("packages/console/dist"),
        // As the user would type it again: the start script tells how it was called.
        program: shellQuoted(line.environment["KELP_PROGRAM"] ?? "kelp"),
        dirFlag:
          settings.dir === dataFolderPath(line, {}) ? "" : ` --dir ${shellQuoted(settings.dir)}`,
        gatewayCommand: { file: repositoryPath("services/cli/src/main.ts"), args: ["gateway"] },
        out: line.out,
      });
      line.exitWith(status);
    });
}
