import { Command } from "commander";
import type { CommandLine } from "../command-line.ts";

/** `kelp gateway`: a process that serves the S3 door of a server, started by it and by nobody else. */
export function gatewayCommand(line: CommandLine): Command {
  return new Command("gateway").action(async () => {
    const { runGateway } = await import("@kelp/all-in-one");
    await runGateway(line.environment);
  });
}
