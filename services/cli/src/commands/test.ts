import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { qualityGates } from "../checks/gates.ts";
import { type Outcome, countLine, outcomeOfTests } from "../checks/outcome.ts";
import { runBun } from "../checks/run-child.ts";
import { type CommandLine, examples } from "../command-line.ts";

/** Where tests live; each is a path that the test runner searches. */
const TEST_FOLDERS = [
  "./packages",
  "./services",
  "./tools",
  "./conformance",
  "./bench",
  "./simulator",
];

/** For tests that name no time of their own: ends one that hangs, and none that shares its cores with much else. */
const TEST_MS_MAX = 30_000;

/** `kelp test`: the quality gates, then every test; with filters only the tests of matching files. */
export function testCommand(line: CommandLine): Command {
  return new Command("test")
    .description("Check the checkout and run its tests; the last line is the count")
    .argument("[filter...]", "run only test files whose path contains one of these, and no checks")
    .option("-t, --name <PATTERN>", "run only tests whose name matches this expression")
    .addHelpText(
      "after",
      examples([
        ["kelp test", "everything: format, lint, types, unused code, all tests"],
        ["kelp test packages/filer", "the tests of one room"],
        ["kelp test packages/s3 -t multipart", "those of them about multipart"],
      ]) +
        "\n\nWith CI=true a skipped test counts as failed. KELP_TEST_PYTHON names a Python with the client\n" +
        "libraries, KELP_TEST_CHROMIUM a browser; .ci/run installs both.",
    )
    .action(async (filters: readonly string[], options: { readonly name?: string }) => {
      const isWhole = filters.length === 0 && options.name === undefined;
      const gates = isWhole ? await runGates(line) : { passedCount: 0, failures: [], skipped: [] };
      const tests = await runTests(line, filters, options.name);
      const all: Outcome = {
        passedCount: gates.passedCount + tests.passedCount,
        failures: [...gates.failures, ...tests.failures],
        skipped: tests.skipped,
      };
      report(line, all);
      if (all.failures.length > 0) line.exitWith(1);
    });
}

async function runGates(line: CommandLine): Promise<Outcome> {
  let passedCount = 0;
  const failures: string[] = [];
  for (const gate of qualityGates()) {
    const startedMs = performance.now();
    const result = await runBun(gate.args, { environment: line.environment });
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    if (result.status === 0) {
      passedCount += 1;
      line.out(`ok    ${gate.name} (${seconds} s)`);
    } else {
      failures.push(`check ${gate.name}`);
      line.out(`FAIL  ${gate.name} (${seconds} s)\n${result.output.trimEnd()}\n`);
    }
  }
  return { passedCount, failures, skipped: [] };
}

async function runTests(
  line: CommandLine,
  filters: readonly string[],
  namePattern: string | undefined,
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "kelp-report-"));
  mkdirSync(folder, { recursive: true });
  const reportFile = join(folder, "junit.xml");
  try {
    const result = await runBun(
      [
        "test",
        `--timeout=${TEST_MS_MAX}`,
        "--reporter=junit",
        `--reporter-outfile=${reportFile}`,
        ...(namePattern === undefined ? [] : ["--test-name-pattern", namePattern]),
        ...(filters.length > 0 ? filters : TEST_FOLDERS),
      ],
      { environment: line.environment, onOutput: (text) => process.stdout.write(text) },
    );
    return outcomeOfTests({
      reportXml: readIfPresent(reportFile),
      output: result.output,
      status: result.status,
      isSkipAllowed: line.environment["CI"] !== "true",
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // The runner writes no report when nothing matched or it crashed; its status then tells.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function report(line: CommandLine, outcome: Outcome): void {
  if (outcome.skipped.length > 0) {
    line.out(`\n${outcome.skipped.length} skipped:`);
    for (const title of outcome.skipped) line.out(`  ${title}`);
  }
  if (outcome.failures.length > 0) {
    line.out(`\n${outcome.failures.length} failed:`);
    for (const title of outcome.failures) line.out(`  ${title}`);
  }
  line.out(`\n${countLine(outcome)}`);
}
