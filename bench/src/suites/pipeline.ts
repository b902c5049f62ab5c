import type { Measurement } from "../load.ts";
import { measureRuns, measureSteps } from "../pipeline-runs.ts";
import { BENCH_PYTHON, PYTHON_PARAMETERS, measureBareSteps, pythonSample } from "../python-step.ts";
import { benchFolder, startServer } from "../server-process.ts";

const STEP_COUNT = 100;
const PYTHON_STEP_COUNT = 20;

/**
 * What the engine adds to a step: steps that run `true`, in a row, side by side and as a loop; then runs of one Python step
 * beside the bare process of that step.
 */
export async function pipelineSuite(): Promise<Measurement[]> {
  using folder = benchFolder();
  const python = BENCH_PYTHON === undefined ? [] : ["--pipelines.python", BENCH_PYTHON];
  await using server = await startServer(`${folder.path}/data`, [
    "--pipelines.cache",
    "off",
    ...python,
  ]);
  await measureSteps(server, "warm", chain(5));
  const results = [
    await measureSteps(server, `pipeline of ${STEP_COUNT} steps in a row`, chain(STEP_COUNT)),
    await measureSteps(server, `pipeline of ${STEP_COUNT} steps side by side`, sideBySide()),
    await measureSteps(server, `loop of ${STEP_COUNT} steps`, loop()),
  ];
  if (BENCH_PYTHON === undefined) return results;
  const runs = { spec: pythonSample(), parameters: PYTHON_PARAMETERS };
  await measureRuns(server, "warm", { ...runs, count: 2 });
  return [
    ...results,
    measureBareSteps(BENCH_PYTHON, PYTHON_STEP_COUNT),
    await measureRuns(server, "run of one Python step", { ...runs, count: PYTHON_STEP_COUNT }),
  ];
}

function chain(count: number): unknown {
  return pipeline(
    tasks(count, (index) => ({ dependentTasks: index === 0 ? [] : [`step-${index - 1}`] })),
  );
}

function sideBySide(): unknown {
  return pipeline(tasks(STEP_COUNT, () => ({})));
}

function loop(): unknown {
  const items = JSON.stringify(Array.from({ length: STEP_COUNT }, (_, index) => index));
  return pipeline(
    {
      loop: {
        componentRef: { name: "comp-loop" },
        taskInfo: { name: "loop" },
        parameterIterator: { items: { raw: items }, itemInput: "item" },
      },
    },
    {
      "comp-loop": {
        inputDefinitions: { parameters: { item: { parameterType: "NUMBER_INTEGER" } } },
        dag: { tasks: tasks(1, () => ({})) },
      },
    },
  );
}

function tasks(
  count: number,
  more: (index: number) => Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const names = Array.from({ length: count }, (_, index) => `step-${index}`);
  return Object.fromEntries(
    names.map((name, index) => [
      name,
      {
        componentRef: { name: "comp-step" },
        taskInfo: { name },
        cachingOptions: {},
        ...more(index),
      },
    ]),
  );
}

function pipeline(
  rootTasks: Readonly<Record<string, unknown>>,
  components: Readonly<Record<string, unknown>> = {},
): unknown {
  return {
    schemaVersion: "2.1.0",
    sdkVersion: "kfp-2.17.0",
    pipelineInfo: { name: "bench" },
    components: { "comp-step": { executorLabel: "exec-step" }, ...components },
    deploymentSpec: {
      executors: { "exec-step": { container: { image: "none", command: ["true"] } } },
    },
    root: { dag: { tasks: rootTasks } },
  };
}
