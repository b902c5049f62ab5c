import { readFileSync } from "node:fs";
import { Command } from "commander";
import { type CommandLine, examples } from "../command-line.ts";
import { DIR_OPTION } from "../data-folder-path.ts";
import { addFlags, givenFlags } from "../options/flags.ts";
import { CommandError } from "../usage-error.ts";

interface RunFlags {
  readonly param: readonly string[];
  readonly name?: string;
  readonly experiment?: string;
  readonly server?: string;
}

const WIDTH_WITHOUT_TERMINAL = 100;
const HEIGHT_WITHOUT_TERMINAL = 24;

/** `kelp run`: a compiled pipeline, from file to result. */
export function runCommand(line: CommandLine): Command {
  const command = new Command("run")
    .description(
      "Run a compiled pipeline and follow it; exit status 1 when it fails. Ctrl-C ends the following, not the run",
    )
    .argument("<FILE>", "compiled pipeline, YAML or JSON")
    .option("-p, --param <NAME=VALUE>", "parameter of the pipeline; may be repeated", collect, [])
    .option("--name <TEXT>", "name of the run")
    .option("--experiment <ID>", "experiment that the run belongs to")
    .option("--server <URL>", "console address of a server elsewhere; its token in KELP_TOKEN");
  addFlags(command, [DIR_OPTION]);
  return command
    .addHelpText(
      "after",
      examples([
        ["kelp run pipeline.yaml", "on the server that runs on this machine"],
        ["kelp run pipeline.yaml -p x=5 -p name=a", "with parameters"],
      ]),
    )
    .action(async (file: string, flags: RunFlags, self: Command) => {
      // Loaded here so that other commands need not wait for it.
      const { findServer } = await import("../management-client.ts");
      const { followRun } = await import("../follow-run.ts");
      const server = findServer(line, {
        server: flags.server,
        flags: givenFlags(self, [DIR_OPTION]),
      });
      const status = await followRun({
        server,
        specText: readText(file),
        parameters: flags.param,
        runName: flags.name,
        experimentId: flags.experiment,
        screen: {
          print: (text) => process.stdout.write(text),
          width: process.stdout.columns ?? WIDTH_WITHOUT_TERMINAL,
          height: process.stdout.rows ?? HEIGHT_WITHOUT_TERMINAL,
          isTerminal: process.stdout.isTTY,
        },
      });
      line.exitWith(status);
    });
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`Cannot read the pipeline: ${reason}`, { cause: error });
  }
}
