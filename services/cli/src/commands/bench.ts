import { Command } from "commander";
import { runBun } from "../checks/run-child.ts";
import { type CommandLine, examples } from "../command-line.ts";
import { repositoryPath } from "../repository.ts";

/** `kelp bench`: measurements of a server of its own. */
export function benchCommand(line: CommandLine): Command {
  return new Command("bench")
    .description("Measure a server of its own and write the results to bench/results")
    .argument(
      "[suite...]",
      "s3, list, large, start, needles, pipeline, jobs and more; all by default",
    )
    .addHelpText(
      "after",
      examples([
        ["kelp bench", "everything; takes some minutes"],
        ["kelp bench s3 list", "small objects and listings"],
      ]) + "\n\nKELP_BENCH_DIR names the folder for its data: a real disk, not one in memory.",
    )
    .action(async (suites: readonly string[]) => {
      const result = await runBun([repositoryPath("bench/src/main.ts"), ...suites], {
        environment: line.environment,
        onOutput: (text) => process.stdout.write(text),
      });
      line.exitWith(result.status);
    });
}
