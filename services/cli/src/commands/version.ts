import { Command } from "commander";
import { type CommandLine, examples } from "../command-line.ts";
import { KELP_VERSION } from "../version.ts";

/** `kelp version`: what runs here. */
export function versionCommand(line: CommandLine): Command {
  return new Command("version")
    .description("Print the version of Kelp and of what it runs on")
    .option("--json", "print as JSON")
    .addHelpText(
      "after",
      examples([
        ["kelp version", "for people"],
        ["kelp version --json", "for programs"],
      ]),
    )
    .action((options: { readonly json?: true }) => {
      const facts = {
        version: KELP_VERSION,
        bun: process.versions["bun"] ?? "unknown",
        platform: `${process.platform}-${process.arch}`,
      };
      line.out(
        options.json === true
          ? JSON.stringify(facts)
          : `kelp ${facts.version} (Bun ${facts.bun}, ${facts.platform})`,
      );
    });
}
