import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join, resolve } from "node:path";
import manifest from "../../package.json";
import type { Measurement } from "./load.ts";
import { type SuiteOptions, parseOptions } from "./options.ts";
import { type ResultFile, resultTables } from "./report.ts";
import { coresSuite } from "./suites/cores.ts";
import { erasureSuite } from "./suites/erasure.ts";
import { jobsSuite } from "./suites/jobs.ts";
import { largeSuite } from "./suites/large.ts";
import { listSuite } from "./suites/list.ts";
import { namespaceSuite } from "./suites/namespace.ts";
import { needlesSuite } from "./suites/needles.ts";
import { doorsSuite } from "./suites/doors.ts";
import { pipelineSuite } from "./suites/pipeline.ts";
import { s3Suite } from "./suites/s3.ts";
import { startSuite } from "./suites/start.ts";
import { storeSuite } from "./suites/store.ts";

const SUITES: Readonly<Record<string, (options: SuiteOptions) => Promise<Measurement[]>>> = {
  store: storeSuite,
  s3: s3Suite,
  doors: doorsSuite,
  list: listSuite,
  namespace: namespaceSuite,
  large: largeSuite,
  start: startSuite,
  needles: needlesSuite,
  pipeline: pipelineSuite,
  erasure: erasureSuite,
  cores: coresSuite,
  jobs: jobsSuite,
};
const FOLDER = resolve(import.meta.dirname, "..");
const RESULTS = join(FOLDER, "results");

const { suites: wanted, options } = understood(process.argv.slice(2));
mkdirSync(RESULTS, { recursive: true });
for (const suite of wanted.length > 0 ? wanted : Object.keys(SUITES)) {
  const run =
    SUITES[suite] ??
    refuse(`There is no suite ${suite}: choose of ${Object.keys(SUITES).join(", ")}`);
  const result: ResultFile = {
    suite,
    date: new Date().toISOString(),
    machine: `${cpus().length} processors (${cpus()[0]?.model ?? "unknown"}), ${Math.round(totalmem() / 1e9)} GB, client on the same machine`,
    version: manifest.version,
    measurements: await run(options),
  };
  writeFileSync(join(RESULTS, `${suite}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(`${resultTables([result])}\n\n`);
}
writePage();

function understood(words: readonly string[]): ReturnType<typeof parseOptions> {
  try {
    return parseOptions(words);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}

/** Puts the tables of all results into the page. */
function writePage(): void {
  const results = readdirSync(RESULTS)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(RESULTS, name), "utf8")) as ResultFile);
  const page = join(FOLDER, "README.md");
  const text = readFileSync(page, "utf8");
  const filled = text.replace(
    /<!-- results -->[\s\S]*<!-- \/results -->/,
    () => `<!-- results -->\n${resultTables(results)}\n<!-- /results -->`,
  );
  writeFileSync(page, filled);
}
