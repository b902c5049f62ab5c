import { expect, test } from "bun:test";
import { pipeline, stepComponent, task } from "../testing/spec-builder.ts";
import { createEngineRig } from "../testing/index.ts";
import { temporaryFolder } from "@kelp/base/testing";
import { TASKS_PER_RUN_MAX } from "./loop-items.ts";

test("a loop that would multiply into too many tasks fails with a sentence, before it unfolds", async () => {
  const bodyTaskCount = 40;
  const itemCount = 9000;
  const names = Array.from({ length: bodyTaskCount }, (_, index) => `step-${index}`);
  const spec = pipeline({
    components: {
      step: stepComponent("step"),
      body: {
        dag: { tasks: Object.fromEntries(names.map((name) => [name, task("step")])) },
        inputDefinitions: { parameters: { item: { parameterType: "NUMBER_INTEGER" } } },
      },
    },
    tasks: {
      loop: task("body", {
        parameterIterator: {
          items: { raw: JSON.stringify(Array.from({ length: itemCount }, (_, index) => index)) },
          itemInput: "item",
        },
      }),
    },
  });
  using folder = temporaryFolder();
  await using rig = createEngineRig({ folder: folder.path });
  const { run, tasks } = await rig.run(spec, {});
  expect({ state: run.state, taskCount: tasks.length }).toEqual({ state: "FAILED", taskCount: 2 });
  expect(run.error ?? "").toContain(`at most ${TASKS_PER_RUN_MAX}`);
});
