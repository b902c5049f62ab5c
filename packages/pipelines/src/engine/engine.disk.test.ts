import { expect, test } from "bun:test";
import { openDatabase } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { PipelinesError } from "../errors.ts";
import {
  ScriptedExecutor,
  type StepScript,
  createEngineRig,
  type FinishedRun,
} from "../testing/index.ts";
import {
  constant,
  fromInput,
  fromSubtask,
  fromTask,
  pipeline,
  stepComponent,
  task,
  type,
} from "../testing/spec-builder.ts";
import type { JsonObject, JsonValue } from "../spec/json.ts";
import { parsePipelineSpec } from "../spec/parse-pipeline.ts";

async function runScripted(
  spec: JsonObject,
  scripts: Readonly<Record<string, StepScript>> = {},
  parameters: Readonly<Record<string, JsonValue>> = {},
): Promise<FinishedRun & { executor: ScriptedExecutor }> {
  using folder = temporaryFolder();
  const executor = new ScriptedExecutor(scripts);
  await using rig = createEngineRig({ folder: folder.path, executor });
  return { ...(await rig.run(spec, parameters)), executor };
}

const out = { outputs: { out: "STRING" } };
const anyInput = { inputs: { x: type("STRING") } };

function states(finished: FinishedRun): Record<string, string> {
  return Object.fromEntries(
    finished.tasks.filter((row) => row.kind !== "iteration").map((row) => [row.name, row.state]),
  );
}

test("a value goes from task to task in order", async () => {
  const spec = pipeline({
    components: { first: stepComponent("first", out), second: stepComponent("second", anyInput) },
    tasks: {
      second: task("second", { inputs: { parameters: { x: fromTask("first") } } }),
      first: task("first"),
    },
  });
  const { run, executor } = await runScripted(spec, { first: () => ({ out: "hello" }) });
  expect(run.state).toBe("SUCCEEDED");
  expect(executor.requests.map((request) => request.taskName)).toEqual(["first", "second"]);
  expect(executor.of("second")[0]?.inputs.parameters).toEqual({ x: "hello" });
  expect(run.stateHistory.map(({ state }) => state)).toEqual(["PENDING", "RUNNING", "SUCCEEDED"]);
});

test("constants name other inputs and facts about the run", async () => {
  const spec = pipeline({
    components: { step: stepComponent("step", anyInput) },
    inputs: { who: type("NUMBER_INTEGER") },
    tasks: {
      step: task("step", {
        inputs: {
          parameters: {
            who: fromInput("who"),
            x: constant("{{$.inputs.parameters['who']}} in {{$.pipeline_task_name}}"),
          },
        },
      }),
    },
  });
  const { executor } = await runScripted(spec, {}, { who: 3 });
  expect(executor.requests[0]?.inputs.parameters["x"]).toBe("3 in step");
});

test("a false condition skips its group and what follows, and the run succeeds", async () => {
  const spec = pipeline({
    components: {
      flip: stepComponent("flip", out),
      inner: stepComponent("inner"),
      after: stepComponent("after"),
      branch: {
        dag: { tasks: { inner: task("inner") } },
        inputDefinitions: { parameters: { x: type("STRING") } },
      },
    },
    tasks: {
      flip: task("flip"),
      "condition-1": task("branch", {
        inputs: { parameters: { x: fromTask("flip") } },
        triggerPolicy: { condition: "inputs.parameter_values['x'] == 'heads'" },
      }),
      after: task("after", { dependentTasks: ["condition-1"] }),
    },
  });
  const tails = await runScripted(spec, { flip: () => ({ out: "tails" }) });
  expect(tails.run.state).toBe("SUCCEEDED");
  expect(states(tails)).toMatchObject({ "condition-1": "SKIPPED", after: "SKIPPED" });
  const heads = await runScripted(spec, { flip: () => ({ out: "heads" }) });
  expect(states(heads)).toMatchObject({
    "condition-1": "SUCCEEDED",
    inner: "SUCCEEDED",
    after: "SUCCEEDED",
  });
});

test("a condition over an absent input fails the task and says so", async () => {
  const spec = pipeline({
    components: { step: stepComponent("step") },
    tasks: {
      step: task("step", { triggerPolicy: { condition: "inputs.parameter_values['no'] == 1" } }),
    },
  });
  const finished = await runScripted(spec);
  expect(finished.run.state).toBe("FAILED");
  expect(finished.task("step").error).toContain("Cannot evaluate the expression");
  expect(finished.executor.requests).toEqual([]);
});

test("one-of takes the first producer that ran", async () => {
  const branch = {
    dag: {
      tasks: { inner: task("inner") },
      outputs: { parameters: { out: fromSubtask("inner") } },
    },
    outputDefinitions: { parameters: { out: type("STRING") } },
  };
  const selectors = ["condition-2", "condition-3"].map((name) => ({
    producerSubtask: name,
    outputParameterKey: "out",
  }));
  const spec = pipeline({
    components: { inner: stepComponent("inner", out), branch },
    tasks: {
      "condition-2": task("branch", { triggerPolicy: { condition: "1 == 2" } }),
      "condition-3": task("branch", { triggerPolicy: { condition: "1 == 1" } }),
    },
    outputs: { out: { valueFromOneof: { parameterSelectors: selectors } } },
    outputTypes: { out: "STRING" },
  });
  const { tasks } = await runScripted(spec, { inner: () => ({ out: "from 3" }) });
  expect(tasks[0]?.outputs.parameters).toEqual({ out: "from 3" });
});

const loopBody = {
  dag: {
    tasks: { body: task("body", { inputs: { parameters: { x: fromInput("item") } } }) },
    outputs: { parameters: { out: fromSubtask("body") } },
  },
  inputDefinitions: { parameters: { item: type("NUMBER_INTEGER") } },
  outputDefinitions: { parameters: { out: type("LIST") } },
};
const double: StepScript = ({ inputs }) => ({ out: Number(inputs.parameters["x"]) * 2 });

test("a loop over literal items is collected in order, within its parallelism", async () => {
  const spec = pipeline({
    components: {
      body: stepComponent("body", {
        inputs: { x: type("NUMBER_INTEGER") },
        outputs: { out: "NUMBER_INTEGER" },
      }),
      loop: loopBody,
      sum: stepComponent("sum", { inputs: { list: type("LIST") } }),
    },
    tasks: {
      loop: task("loop", {
        parameterIterator: { items: { raw: "[1, 2, 3, 4]" }, itemInput: "item" },
        iteratorPolicy: { parallelismLimit: 1 },
      }),
      sum: task("sum", { inputs: { parameters: { list: fromTask("loop") } } }),
    },
  });
  const { executor, run } = await runScripted(spec, { body: double });
  expect(run.state).toBe("SUCCEEDED");
  expect(executor.of("sum")[0]?.inputs.parameters).toEqual({ list: [2, 4, 6, 8] });
  expect(executor.runningMax).toBe(1);
});

test("a loop over a run-time list may be empty", async () => {
  const spec = pipeline({
    components: {
      body: stepComponent("body", { ...anyInput, outputs: { out: "NUMBER_INTEGER" } }),
      loop: {
        ...loopBody,
        inputDefinitions: { parameters: { item: type("NUMBER_INTEGER"), list: type("LIST") } },
      },
    },
    inputs: { list: type("LIST") },
    tasks: {
      loop: task("loop", {
        inputs: { parameters: { list: fromInput("list") } },
        parameterIterator: { items: { inputParameter: "list" }, itemInput: "item" },
      }),
    },
    outputs: { out: fromSubtask("loop") },
    outputTypes: { out: "LIST" },
  });
  const empty = await runScripted(spec, {}, { list: [] });
  expect(empty.run.state).toBe("SUCCEEDED");
  expect(empty.tasks[0]?.outputs.parameters).toEqual({ out: [] });
});

test("nested loops are collected as lists of lists", async () => {
  const outer = {
    dag: {
      tasks: {
        inner: task("loop", { parameterIterator: { items: { raw: "[1, 2]" }, itemInput: "item" } }),
      },
      outputs: { parameters: { out: fromSubtask("inner") } },
    },
    inputDefinitions: { parameters: { row: type("STRING") } },
    outputDefinitions: { parameters: { out: type("LIST") } },
  };
  const spec = pipeline({
    components: {
      body: stepComponent("body", {
        inputs: { x: type("NUMBER_INTEGER") },
        outputs: { out: "NUMBER_INTEGER" },
      }),
      loop: loopBody,
      outer,
    },
    tasks: {
      rows: task("outer", {
        parameterIterator: { items: { raw: '["a", "b"]' }, itemInput: "row" },
      }),
    },
    outputs: { out: fromSubtask("rows") },
    outputTypes: { out: "LIST" },
  });
  const { tasks } = await runScripted(spec, { body: double });
  expect(tasks[0]?.outputs.parameters).toEqual({
    out: [
      [2, 4],
      [2, 4],
    ],
  });
});

test("a selector takes a value apart", async () => {
  const spec = pipeline({
    components: { step: stepComponent("step", { inputs: { x: type("NUMBER_INTEGER") } }) },
    inputs: { item: type("STRUCT") },
    tasks: {
      step: task("step", {
        inputs: {
          parameters: {
            x: {
              ...fromInput("item"),
              parameterExpressionSelector: 'parseJson(string_value)["a"]',
            },
          },
        },
      }),
    },
  });
  const { executor } = await runScripted(spec, {}, { item: { a: 7 } });
  expect(executor.requests[0]?.inputs.parameters).toEqual({ x: 7 });
});

test("an exit task runs after a failure, is told of it, and the run fails", async () => {
  const spec = pipeline({
    components: {
      bad: stepComponent("bad"),
      handler: { dag: { tasks: { bad: task("bad") } } },
      exit: stepComponent("exit", {
        inputs: { status: type("TASK_FINAL_STATUS", { isOptional: true }) },
      }),
    },
    tasks: {
      "exit-handler-1": task("handler"),
      exit: task("exit", {
        dependentTasks: ["exit-handler-1"],
        inputs: { parameters: { status: { taskFinalStatus: { producerTask: "exit-handler-1" } } } },
        triggerPolicy: { strategy: "ALL_UPSTREAM_TASKS_COMPLETED" },
      }),
    },
  });
  const { run, executor } = await runScripted(spec, {
    bad: () => ({ fail: "it broke\nlast line" }),
  });
  expect(run.state).toBe("FAILED");
  expect(run.error).toBe("Task bad failed: it broke");
  expect(executor.of("exit")[0]?.inputs.parameters["status"]).toMatchObject({
    state: "FAILED",
    error: { message: "Task bad failed: it broke" },
    pipelineTaskName: "exit-handler-1",
  });
});

test("what waits for a failed task is skipped; independent tasks go on", async () => {
  const spec = pipeline({
    components: {
      bad: stepComponent("bad"),
      next: stepComponent("next"),
      other: stepComponent("other"),
    },
    tasks: {
      bad: task("bad"),
      next: task("next", { dependentTasks: ["bad"] }),
      other: task("other"),
    },
  });
  const finished = await runScripted(spec, { bad: () => ({ fail: "no" }) });
  expect(states(finished)).toMatchObject({ bad: "FAILED", next: "SKIPPED", other: "SUCCEEDED" });
});

test("a retry plan on a group counts for its steps", async () => {
  const spec = pipeline({
    components: {
      flaky: stepComponent("flaky"),
      group: { dag: { tasks: { flaky: task("flaky") } } },
    },
    tasks: { group: task("group", { retryPolicy: { maxRetryCount: 2, backoffDuration: "0s" } }) },
  });
  const good = await runScripted(spec, {
    flaky: ({ attempt }) => (attempt < 3 ? { fail: "again" } : {}),
  });
  expect(good.run.state).toBe("SUCCEEDED");
  expect(good.task("flaky").attempt).toBe(3);
  const bad = await runScripted(spec, { flaky: () => ({ fail: "always" }) });
  expect(bad.run.state).toBe("FAILED");
  expect(bad.executor.requests.length).toBe(3);
});

test("a missing input that has no default fails its task with the reason", async () => {
  const spec = pipeline({
    components: { first: stepComponent("first", out), second: stepComponent("second", anyInput) },
    tasks: {
      first: task("first"),
      second: task("second", { inputs: { parameters: { x: fromTask("first") } } }),
    },
  });
  const finished = await runScripted(spec, { first: () => ({}) });
  expect(finished.task("second").error).toBe(
    "Input parameter x is missing: task first gave no output out",
  );
});

test("a second run takes outputs from the cache; another environment does not", async () => {
  using folder = temporaryFolder();
  const executor = new ScriptedExecutor({ step: () => ({ out: "made" }) });
  await using rig = createEngineRig({ folder: folder.path, executor });
  const spec = (value: string): JsonObject =>
    pipeline({
      components: { step: stepComponent("step", out) },
      tasks: { step: task("step", { cachingOptions: { enableCache: true } }) },
      executors: {
        "exec-step": { container: { image: "i", command: ["true"], env: [{ name: "E", value }] } },
      },
    });
  await rig.run(spec("1"));
  const second = await rig.run(spec("1"));
  expect(second.task("step")).toMatchObject({
    isCached: true,
    outputs: { parameters: { out: "made" } },
  });
  expect(executor.requests.length).toBe(1);
  const third = await rig.run(spec("2"));
  expect(third.task("step").isCached).toBe(false);
});

test("a cache entry whose artifact is gone is a miss", async () => {
  using folder = temporaryFolder();
  const executor = new ScriptedExecutor();
  await using rig = createEngineRig({ folder: folder.path, executor });
  const spec = pipeline({
    components: { step: stepComponent("step", { artifactOutputs: ["data"] }) },
    tasks: { step: task("step", { cachingOptions: { enableCache: true } }) },
  });
  await rig.run(spec);
  const second = await rig.run(spec);
  expect(second.task("step").isCached).toBe(false);
  expect(executor.requests.length).toBe(2);
});

test("a terminated run ends FAILED with its tasks canceled", async () => {
  using folder = temporaryFolder();
  const started = Promise.withResolvers<void>();
  const executor = new ScriptedExecutor({
    step: async (_request, { signal }) => {
      started.resolve();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      return {};
    },
  });
  await using rig = createEngineRig({ folder: folder.path, executor });
  const parsed = parsePipelineSpec(
    pipeline({
      components: { step: stepComponent("step"), next: stepComponent("next") },
      tasks: { step: task("step"), next: task("next", { dependentTasks: ["step"] }) },
    }),
  );
  const { runId } = rig.engine.createRun({
    displayName: "r",
    experimentId: "e",
    parameters: {},
    ...parsed,
  });
  await started.promise;
  rig.engine.terminateRun(runId);
  const run = await rig.engine.waitForRun(runId);
  expect(run.stateHistory.map(({ state }) => state)).toEqual([
    "PENDING",
    "RUNNING",
    "CANCELING",
    "FAILED",
  ]);
  expect(run.error).toBe("The run was terminated on request");
  const tasks = rig.engine.getTasks(runId).map(({ state }) => state);
  expect(tasks).toEqual(["CANCELED", "CANCELED", "CANCELED"]);
  rig.engine.terminateRun(runId);
  expect(rig.engine.getRun(runId)?.state).toBe("FAILED");
});

test("a retried run keeps what succeeded and repeats the rest", async () => {
  using folder = temporaryFolder();
  let isBroken = true;
  const executor = new ScriptedExecutor({
    bad: () => (isBroken ? { fail: "broken" } : { out: "good" }),
    first: () => ({ out: "1" }),
  });
  await using rig = createEngineRig({ folder: folder.path, executor });
  const spec = pipeline({
    components: {
      first: stepComponent("first", out),
      bad: stepComponent("bad", { ...anyInput, ...out }),
      last: stepComponent("last", anyInput),
    },
    tasks: {
      first: task("first"),
      bad: task("bad", { inputs: { parameters: { x: fromTask("first") } } }),
      last: task("last", { inputs: { parameters: { x: fromTask("bad") } } }),
    },
  });
  const failed = await rig.run(spec);
  expect(failed.run.state).toBe("FAILED");
  isBroken = false;
  expect(rig.engine.retryRun(failed.run.runId).state).toBe("PENDING");
  const run = await rig.engine.waitForRun(failed.run.runId);
  expect(run.state).toBe("SUCCEEDED");
  expect(executor.requests.map((request) => request.taskName)).toEqual([
    "first",
    "bad",
    "bad",
    "last",
  ]);
  expect(() => rig.engine.retryRun(run.runId)).toThrow(PipelinesError);
});

test("a drained engine leaves its run to the next one, which repeats only what was running", async () => {
  using folder = temporaryFolder();
  using database = openDatabase(":memory:");
  const started = Promise.withResolvers<void>();
  const hanging = new ScriptedExecutor({
    first: () => ({ out: "1" }),
    second: async (_request, { signal }) => {
      started.resolve();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      return {};
    },
  });
  const parsed = parsePipelineSpec(
    pipeline({
      components: { first: stepComponent("first", out), second: stepComponent("second", anyInput) },
      tasks: {
        first: task("first"),
        second: task("second", { inputs: { parameters: { x: fromTask("first") } } }),
      },
    }),
  );
  let runId: string;
  {
    await using rig = createEngineRig({ folder: folder.path, executor: hanging, database });
    ({ runId } = rig.engine.createRun({
      displayName: "r",
      experimentId: "e",
      parameters: {},
      ...parsed,
    }));
    await started.promise;
  }
  const executor = new ScriptedExecutor();
  await using rig = createEngineRig({ folder: folder.path, executor, database });
  expect(rig.engine.getRun(runId)?.state).toBe("RUNNING");
  await rig.engine.resume();
  expect((await rig.engine.waitForRun(runId)).state).toBe("SUCCEEDED");
  expect(executor.requests.map((request) => request.taskName)).toEqual(["second"]);
  expect(executor.discarded.map((step) => step.taskName)).toEqual(["second"]);
  expect(executor.requests[0]?.attempt).toBe(1);
});

test("a log is followed to its end and read again from the store", async () => {
  using folder = temporaryFolder();
  const go = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const executor = new ScriptedExecutor({
    step: async (_request, { log }) => {
      log.write(Buffer.from("one\n"));
      started.resolve();
      await go.promise;
      log.write(Buffer.from("two\n"));
      return {};
    },
  });
  await using rig = createEngineRig({ folder: folder.path, executor });
  const parsed = parsePipelineSpec(
    pipeline({ components: { step: stepComponent("step") }, tasks: { step: task("step") } }),
  );
  const { runId } = rig.engine.createRun({
    displayName: "r",
    experimentId: "e",
    parameters: {},
    ...parsed,
  });
  await started.promise;
  const taskId = rig.engine.getTasks(runId).at(-1)?.taskId ?? "";
  const { signal } = new AbortController();
  const pieces: string[] = [];
  for await (const piece of rig.engine.openLog(runId, taskId, { follow: true, signal })) {
    pieces.push(Buffer.from(piece).toString());
    go.resolve();
  }
  expect(pieces.join("")).toBe("one\ntwo\n");
  await rig.engine.waitForRun(runId);
  const stored: string[] = [];
  for await (const piece of rig.engine.openLog(runId, taskId, { follow: false, signal })) {
    stored.push(Buffer.from(piece).toString());
  }
  expect(stored.join("")).toBe("one\ntwo\n");
  expect(rig.objects.keys("mlpipeline").some((key) => key.endsWith("/1.log"))).toBe(true);
});

test("an importer reuses its artifact unless told otherwise, and lineage names producer and consumer", async () => {
  using folder = temporaryFolder();
  await using rig = createEngineRig({ folder: folder.path, executor: new ScriptedExecutor() });
  const spec = (reimport: boolean): JsonObject =>
    pipeline({
      components: {
        load: {
          executorLabel: "exec-load",
          outputDefinitions: {
            artifacts: { artifact: { artifactType: { schemaTitle: "system.Model" } } },
          },
        },
        use: stepComponent("use", {
          artifactInputs: { model: { artifactType: { schemaTitle: "system.Model" } } },
        }),
      },
      tasks: {
        load: task("load"),
        use: task("use", {
          inputs: {
            artifacts: {
              model: {
                taskOutputArtifact: { producerTask: "load", outputArtifactKey: "artifact" },
              },
            },
          },
        }),
      },
      executors: {
        "exec-load": {
          importer: {
            artifactUri: { constant: "s3://models/m" },
            typeSchema: { schemaTitle: "system.Model" },
            reimport,
          },
        },
      },
    });
  const ids: (number | undefined)[] = [];
  for (const reimport of [false, false, true]) {
    const { run, task: taskOf } = await rig.run(spec(reimport));
    expect(run.state).toBe("SUCCEEDED");
    ids.push(taskOf("load").outputs.artifacts["artifact"]?.[0]?.artifactId);
  }
  expect(ids[0]).toBe(ids[1]);
  expect(ids[2]).not.toBe(ids[0]);
  const lineage = rig.lineage.getLineage(ids[0] ?? 0);
  expect(lineage?.producer?.taskName).toBe("load");
  expect(lineage?.consumers.map((use) => use.taskName)).toEqual(["use", "use"]);
});

test("run parameters are refused when unknown, missing or of the wrong type", async () => {
  using folder = temporaryFolder();
  await using rig = createEngineRig({ folder: folder.path, executor: new ScriptedExecutor() });
  const spec = pipeline({
    components: { step: stepComponent("step") },
    inputs: {
      n: type("NUMBER_INTEGER"),
      choice: type("STRING", { defaultValue: "a", literals: ["a", "b"] }),
    },
    tasks: { step: task("step") },
  });
  const attempt = (parameters: Record<string, JsonValue>): Promise<unknown> =>
    rig.run(spec, parameters).catch((error: unknown) => error);
  for (const parameters of [
    {},
    { n: "x" },
    { n: 1.5 },
    { n: 1, other: 1 },
    { n: 1, choice: "c" },
  ]) {
    expect(await attempt(parameters)).toMatchObject({ code: "invalid-parameter" });
  }
  expect(await attempt({ n: "5", choice: "b" })).toMatchObject({
    run: { parameters: { n: 5, choice: "b" } },
  });
});

test("a deleted run is gone, also while it runs", async () => {
  using folder = temporaryFolder();
  const started = Promise.withResolvers<void>();
  const executor = new ScriptedExecutor({
    step: async (_request, { signal }) => {
      started.resolve();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      return {};
    },
  });
  await using rig = createEngineRig({ folder: folder.path, executor });
  const parsed = parsePipelineSpec(
    pipeline({ components: { step: stepComponent("step") }, tasks: { step: task("step") } }),
  );
  const { runId } = rig.engine.createRun({
    displayName: "r",
    experimentId: "e",
    parameters: {},
    ...parsed,
  });
  await started.promise;
  rig.engine.deleteRun(runId);
  await rig.engine.stop();
  expect(rig.engine.getRun(runId)).toBeUndefined();
  expect(rig.engine.getTasks(runId)).toEqual([]);
});

test("a loop over artifacts gives each to an iteration, and collected artifacts are one flat list", async () => {
  const dataset = { artifactType: { schemaTitle: "system.Dataset" } };
  const fromOutput = (producerTask: string): JsonObject => ({
    taskOutputArtifact: { producerTask, outputArtifactKey: "data" },
  });
  const select = (producerSubtask: string): JsonObject => ({
    artifactSelectors: [{ producerSubtask, outputArtifactKey: "data" }],
  });
  const make = stepComponent("make", { artifactOutputs: ["data"] });
  const copy = stepComponent("copy", { artifactInputs: { x: dataset }, artifactOutputs: ["data"] });
  const spec = pipeline({
    components: {
      make,
      copy,
      makers: {
        dag: { tasks: { make: task("make") }, outputs: { artifacts: { data: select("make") } } },
        inputDefinitions: { parameters: { item: type("NUMBER_INTEGER") } },
        outputDefinitions: { artifacts: { data: { ...dataset, isArtifactList: true } } },
      },
      copiers: {
        dag: {
          tasks: {
            copy: task("copy", { inputs: { artifacts: { x: { componentInputArtifact: "one" } } } }),
          },
          outputs: { artifacts: { data: select("copy") } },
        },
        inputDefinitions: {
          artifacts: { list: { ...dataset, isArtifactList: true }, one: dataset },
        },
        outputDefinitions: { artifacts: { data: { ...dataset, isArtifactList: true } } },
      },
    },
    tasks: {
      makers: task("makers", {
        parameterIterator: { items: { raw: "[1, 2]" }, itemInput: "item" },
      }),
      copiers: task("copiers", {
        inputs: { artifacts: { list: fromOutput("makers") } },
        artifactIterator: { items: { inputArtifact: "list" }, itemInput: "one" },
      }),
    },
  });
  const finished = await runScripted(spec);
  expect(finished.run.state).toBe("SUCCEEDED");
  const made = finished.task("makers").outputs.artifacts["data"] ?? [];
  const read = finished.executor.of("copy").flatMap(({ inputs }) => inputs.artifacts["x"] ?? []);
  expect(new Set(read.map(({ uri }) => uri))).toEqual(new Set(made.map(({ uri }) => uri)));
  expect(made.length).toBe(2);
  expect(finished.task("copiers").outputs.artifacts["data"]?.length).toBe(2);
});
