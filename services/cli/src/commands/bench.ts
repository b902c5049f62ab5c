import { Command } from "commander";
import { runBun } from "../checks/run-child.ts";
import { type CommandLine, examples } from "../command-line.ts";
import { repositoryPath } from "../repository.ts";

/** `kelp bench`: measurements of a server of its own. What the suites are and take, `bench/src/main.ts` knows. */
export function benchCommand(line: CommandLine): Command {
  return new Command("bench")
    .description("Measure a server of its own and write the results to bench/results")
    .argument(
      "[suite...]",
      "store, s3, doors, jobs, list, large, start, needles, namespace, erasure, cores, pipeline; all by default",
    )
    .option("--peer <name=url,key,secret...>", "put the load of `store` on this server too")
    .option("--creates <count>", "objects of the load that only creates (store; 100000)")
    .option("--entries <count>", "entries of the tree (namespace; 1000000)")
    .option("--jobs <names>", "jobs to measure (jobs; vacuum,scrub,encode)")
    .option("--rounds <count>", "turns of quiet and busy windows (jobs; 5)")
    .addHelpText(
      "after",
      examples([
        ["kelp bench", "everything; takes some minutes"],
        ["kelp bench s3 list", "small objects and listings"],
        [
          "kelp bench store --peer minio=http://127.0.0.1:9000,KEY,SECRET",
          "beside another store of this machine",
        ],
      ]) + "\n\nKELP_BENCH_DIR names the folder for its data: a real disk, not one in memory.",
    )
    .action(async (suites: readonly string[], given: BenchOptions) => {
      const { peer: peers = [], ...single } = given;
      const options = [
        ...peers.flatMap((peer) => ["--peer", peer]),
        ...Object.entries(single).flatMap(([name, value]) => [`--${name}`, value]),
      ];
      const result = await runBun([repositoryPath("bench/src/main.ts"), ...suites, ...options], {
        environment: line.environment,
        onOutput: (text) => process.stdout.write(text),
      });
      line.exitWith(result.status);
    });
}

/** Absent ones are what the suites make of them. */
interface BenchOptions {
  readonly peer?: readonly string[];
  readonly creates?: string;
  readonly entries?: string;
  readonly jobs?: string;
  readonly rounds?: string;
}
