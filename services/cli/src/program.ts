import { StartError } from "@kelp/all-in-one/errors";
import { Command, CommanderError } from "commander";
import { backupCommand } from "./commands/backup.ts";
import { benchCommand } from "./commands/bench.ts";
import { envCommand } from "./commands/env.ts";
import { fsckCommand } from "./commands/fsck.ts";
import { gatewayCommand } from "./commands/gateway.ts";
import { keysCommand } from "./commands/keys.ts";
import { restoreCommand } from "./commands/restore.ts";
import { runCommand } from "./commands/run.ts";
import { serverCommand } from "./commands/server.ts";
import { shellCommand } from "./commands/shell.ts";
import { testCommand } from "./commands/test.ts";
import { versionCommand } from "./commands/version.ts";
import type { CommandLine } from "./command-line.ts";
import { CommandError, UsageError } from "./usage-error.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/**
 * Parses the arguments (without program names), runs the one command, and returns the exit status. `given` replaces what
 * the command sees of this process.
 */
export async function runProgram(
  args: readonly string[],
  given: Partial<Pick<CommandLine, "environment" | "out" | "err">> = {},
): Promise<number> {
  let status = 0;
  const line: CommandLine = {
    environment: process.env,
    currentFolder: process.cwd(),
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    ...given,
    exitWith: (code) => {
      status = code;
    },
  };
  try {
    await buildProgram(line).parseAsync([...args], { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    if (error instanceof UsageError) {
      line.err(`kelp: ${error.message}`);
      return EXIT_USAGE;
    }
    if (error instanceof CommandError || error instanceof StartError) {
      line.err(`kelp: ${error.message}`);
      return EXIT_FAILED;
    }
    throw error;
  }
}

/** Every command that is built, and no other. */
export function buildProgram(line: CommandLine): Command {
  const program = new Command("kelp")
    .description("Object storage with the S3 API, machine-learning pipelines, and a console")
    .exitOverride()
    .showHelpAfterError("(kelp --help tells what there is)")
    .configureHelp({ helpWidth: 100 })
    .helpCommand(false)
    .addHelpText("after", "\nkelp COMMAND --help tells about a command, with examples.");
  const commands = [
    serverCommand(line),
    envCommand(line),
    runCommand(line),
    shellCommand(line),
    fsckCommand(line),
    backupCommand(line),
    restoreCommand(line),
    keysCommand(line),
    testCommand(line),
    benchCommand(line),
    versionCommand(line),
  ];
  for (const command of commands) {
    program.addCommand(command.exitOverride().configureHelp({ helpWidth: 100 }));
  }
  program.addCommand(gatewayCommand(line).exitOverride(), { hidden: true });
  return program;
}
