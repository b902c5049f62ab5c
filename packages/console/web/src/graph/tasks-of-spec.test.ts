import { expect, test } from "bun:test";
import { tasksOfSpec } from "./tasks-of-spec.ts";

const SPEC = {
  components: {
    "comp-train": { executorLabel: "exec-train" },
    "comp-load": { executorLabel: "exec-load" },
    "comp-for-loop-1": { dag: { tasks: { train: { componentRef: { name: "comp-train" } } } } },
  },
  deploymentSpec: { executors: { "exec-load": { importer: {} }, "exec-train": { container: {} } } },
  root: {
    dag: {
      tasks: {
        load: { componentRef: { name: "comp-load" }, taskInfo: { name: "Load data" } },
        "for-loop-1": {
          componentRef: { name: "comp-for-loop-1" },
          dependentTasks: ["load"],
          parameterIterator: { itemInput: "item" },
          inputs: { artifacts: { data: { taskOutputArtifact: { producerTask: "load" } } } },
        },
      },
    },
  },
};

test("sub-pipelines are opened in place and named by their path", () => {
  expect(tasksOfSpec(SPEC).map((task) => [task.id, task.parentId, task.kind])).toEqual([
    ["load", undefined, "importer"],
    ["for-loop-1", undefined, "loop"],
    ["for-loop-1/train", "for-loop-1", "step"],
  ]);
});

test("a task waits once for a producer, however often it names it", () => {
  expect(tasksOfSpec(SPEC).find((task) => task.id === "for-loop-1")?.dependsOn).toEqual(["load"]);
});

test("the wrapped form with a platform document gives the same tasks", () => {
  expect(tasksOfSpec({ pipeline_spec: SPEC, platform_spec: {} })).toEqual(tasksOfSpec(SPEC));
});

test("a component that contains itself ends", () => {
  const loop = { dag: { tasks: { again: { componentRef: { name: "comp" } } } } };
  expect(tasksOfSpec({ components: { comp: loop }, root: loop }).length).toBeLessThan(100);
});

test("what is no specification has no tasks", () => {
  expect(tasksOfSpec("text")).toEqual([]);
  expect(tasksOfSpec(undefined)).toEqual([]);
});
