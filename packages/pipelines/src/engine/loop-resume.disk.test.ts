import { expect, test } from "bun:test";
import { openDatabase } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { parsePipelineSpec } from "../spec/parse-pipeline.ts";
import { ScriptedExecutor, type StepScript, createEngineRig } from "../testing/index.ts";
import { fromInput, pipeline, stepComponent, task, type } from "../testing/spec-builder.ts";

const items = [1, 2, 3, 4];

const parsed = parsePipelineSpec(
  pipeline({
    components: {
      body: stepComponent("body", { inputs: { x: type("NUMBER_INTEGER") } }),
      loop: {
        dag: {
          tasks: { body: task("body", { inputs: { parameters: { x: fromInput("item") } } }) },
        },
        inputDefinitions: { parameters: { item: { parameterType: "NUMBER_INTEGER" } } },
      },
    },
    tasks: {
      loop: task("loop", {
        parameterIterator: { items: { raw: JSON.stringify(items) }, itemInput: "item" },
        iteratorPolicy: { parallelismLimit: 1 },
      }),
    },
  }),
);

/** Ends well for the first item and never for the second. */
function hangingAtSecond(reached: () => void): StepScript {
  return async (request, { signal }) => {
    if (request.inputs.parameters["x"] === 1) return {};
    reached();
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    return {};
  };
}

function seen(executor: ScriptedExecutor): unknown[] {
  return executor.requests.map((request) => request.inputs.parameters["x"]);
}

const newRun = { displayName: "r", experimentId: "e", parameters: {}, ...parsed };

test("iterations that waited for their turn when the server ended run after its restart", async () => {
  using folder = temporaryFolder();
  using database = openDatabase(":memory:");
  const reached = Promise.withResolvers<void>();
  let runId: string;
  {
    const executor = new ScriptedExecutor({ body: hangingAtSecond(reached.resolve) });
    await using rig = createEngineRig({ folder: folder.path, executor, database });
    ({ runId } = rig.engine.createRun(newRun));
    await reached.promise;
  }
  const executor = new ScriptedExecutor();
  await using rig = createEngineRig({ folder: folder.path, executor, database });
  await rig.engine.resume();
  expect((await rig.engine.waitForRun(runId)).state).toBe("SUCCEEDED");
  expect(seen(executor)).toEqual([2, 3, 4]);
  expect(executor.runningMax).toBe(1);
});

test("iterations that waited for their turn when the run was terminated run when it is retried", async () => {
  using folder = temporaryFolder();
  const reached = Promise.withResolvers<void>();
  let isHanging = true;
  const hang = hangingAtSecond(reached.resolve);
  const executor = new ScriptedExecutor({
    body: (request, context) => (isHanging ? hang(request, context) : {}),
  });
  await using rig = createEngineRig({ folder: folder.path, executor });
  const { runId } = rig.engine.createRun(newRun);
  await reached.promise;
  rig.engine.terminateRun(runId);
  expect((await rig.engine.waitForRun(runId)).state).toBe("FAILED");
  isHanging = false;
  rig.engine.retryRun(runId);
  expect((await rig.engine.waitForRun(runId)).state).toBe("SUCCEEDED");
  expect(seen(executor)).toEqual([1, 2, 2, 3, 4]);
});
