import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Measurement, quantiles } from "./load.ts";

/** A compiled pipeline of one small Python function, and its step's command as a process of nobody's but this one. */
const SAMPLE = join(import.meta.dirname, "../../conformance/kfp-samples/critical/add_numbers.yaml");

interface Sample {
  readonly deploymentSpec: {
    readonly executors: Readonly<
      Record<
        string,
        { readonly container: { readonly command: string[]; readonly args: string[] } }
      >
    >;
  };
}

/** Where a Python with `kfp` is; without one these figures are left out. */
export const BENCH_PYTHON = process.env["KELP_TEST_PYTHON"];

export function pythonSample(): unknown {
  return Bun.YAML.parse(readFileSync(SAMPLE, "utf8"));
}

export const PYTHON_PARAMETERS = { a: 5, b: 5 };

/** The floor: the same command without the line that installs packages, started over and over by hand. */
export function measureBareSteps(python: string, count: number): Measurement {
  const sample = pythonSample() as Sample;
  const container = sample.deploymentSpec.executors["exec-add-numbers"]?.container;
  if (container === undefined) throw new Error("the sample has no step");
  // The first three words are the installing layer: `sh -c <install> && "$0" "$@"`.
  const [program = "sh", ...words] = container.command.slice(3);
  const executorInput = JSON.stringify({
    inputs: { parameterValues: PYTHON_PARAMETERS },
    outputs: { outputFile: "/dev/null", parameters: { Output: { outputFile: "/dev/null" } } },
  });
  const args = [...words, ...container.args.map((arg) => arg.replace("{{$}}", executorInput))];
  const env = { PATH: `${dirname(python)}:${process.env["PATH"] ?? ""}`, TMPDIR: "/tmp" };
  const latencies = new Float64Array(count);
  const startedMs = performance.now();
  for (let index = 0; index < count; index++) {
    const beforeMs = performance.now();
    const result = spawnSync(program, args, { env });
    if (result.status !== 0) throw new Error(`the bare step failed: ${String(result.stderr)}`);
    latencies[index] = performance.now() - beforeMs;
  }
  return {
    name: "Python step, its process alone",
    clients: 1,
    operations: count,
    ratePerSec: (count * 1000) / (performance.now() - startedMs),
    ...quantiles(latencies),
    serverCpuUsPerOperation: 0,
    serverRssBytes: 0,
  };
}
