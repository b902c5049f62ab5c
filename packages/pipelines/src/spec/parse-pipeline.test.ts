import { expect, test } from "bun:test";
import { PipelinesError } from "../errors.ts";
import {
  constant,
  fromTask,
  pipeline,
  stepComponent,
  task,
  type,
} from "../testing/spec-builder.ts";
import type { JsonObject } from "./json.ts";
import { NESTING_MAX } from "./check-references.ts";
import { parsePipelineSpec } from "./parse-pipeline.ts";

const valid = pipeline({
  components: {
    a: stepComponent("a", { outputs: { out: "STRING" } }),
    b: stepComponent("b", { inputs: { x: type("STRING") } }),
  },
  tasks: { a: task("a"), b: task("b", { inputs: { parameters: { x: fromTask("a") } } }) },
});

function refusal(spec: unknown): string {
  try {
    parsePipelineSpec(spec);
  } catch (error) {
    if (error instanceof PipelinesError && error.code === "invalid-spec") return error.message;
    throw error;
  }
  return "accepted";
}

function withTasks(tasks: JsonObject): JsonObject {
  return { ...valid, root: { dag: { tasks } } };
}

test("a valid specification is read with its dependencies", () => {
  const { spec } = parsePipelineSpec(valid);
  expect(spec.name).toBe("test-pipeline");
  const { body } = spec.root;
  expect(body.kind === "dag" ? body.dag.tasks.get("b")?.dependsOn : undefined).toEqual(["a"]);
});

test("both documents may come in one", () => {
  const platform_spec = {
    platforms: { kubernetes: { pipelineConfig: { workspace: { size: "1Gi" } } } },
  };
  const { spec, platformSource } = parsePipelineSpec({ pipeline_spec: valid, platform_spec });
  expect(spec.platform.hasWorkspace).toBe(true);
  expect(platformSource).toBe(platform_spec);
});

test("refusals name the field", () => {
  expect(refusal(undefined)).toContain("not a pipeline specification");
  expect(refusal({ ...valid, components_1: {} })).toContain("components_1 is not a known field");
  expect(refusal({ ...valid, schemaVersion: "1.0" })).toContain("schemaVersion");
  expect(refusal({ ...valid, pipelineInfo: { name: "No Capitals" } })).toContain(
    "pipelineInfo.name",
  );
  expect(refusal({ ...valid, pipelineInfo: { name: "a".repeat(129) } })).toContain(
    "pipelineInfo.name",
  );
  expect(refusal({ ...valid, deploymentSpec: {} })).toContain("executorLabel names exec-a");
  expect(refusal(withTasks({ a: task("no") }))).toContain("componentRef.name names no");
  expect(refusal(withTasks({ a: task("a", { dependentTasks: ["z"] }) }))).toContain("waits for z");
  expect(refusal(withTasks({ a: task("a", { surprise: 1 }) }))).toContain("surprise");
  const reads = { inputs: { parameters: { x: fromTask("a", "nothing") } } };
  expect(refusal(withTasks({ a: task("a"), b: task("b", reads) }))).toContain(
    "output nothing of a",
  );
});

test("tasks that wait for each other in a circle are refused", () => {
  const tasks = {
    a: task("a", { dependentTasks: ["b"] }),
    b: task("b", { dependentTasks: ["a"], inputs: { parameters: { x: constant("1") } } }),
  };
  expect(refusal(withTasks(tasks))).toContain("in a circle: a, b");
});

test("a component that contains itself is refused", () => {
  const components = { loop: { dag: { tasks: { inner: task("loop") } } } };
  const spec = pipeline({ components, tasks: { outer: task("loop") } });
  expect(refusal(spec)).toContain("components.loop contains itself");
});

test("names that could lead out of a folder are refused", () => {
  for (const name of ["..", "a/b", "../../x"]) {
    expect(refusal(withTasks({ [name]: task("a") }))).toContain("is not a usable name");
  }
});

test.each([
  ["a path", "a/b"],
  ["the folder above", ".."],
  ["nothing", ""],
  ["a NUL", "a\0"],
  ["what objects inherit", "__proto__"],
  ["more than a file name holds", "x".repeat(201)],
  ["many bytes in few characters", "\u00e9".repeat(101)],
])("a name that is %s is refused", (_what, name) => {
  expect(refusal(withTasks(Object.fromEntries([[name, task("a")]])))).toContain(
    "is not a usable name",
  );
});

test("names of letters beyond ASCII, spaces and dots are taken", () => {
  for (const name of ["caf\u00e9 1", "a.b", "...", "x".repeat(200), "constructor"]) {
    expect(refusal(withTasks({ [name]: task("a") }))).toBe("accepted");
  }
});

/** Component c0 holds `width` tasks of c1, and so on; the last one is a step. */
function nested(depth: number, width: number): JsonObject {
  const components: Record<string, JsonObject> = { [`c${depth}`]: stepComponent(`c${depth}`) };
  for (let level = 0; level < depth; level++) {
    const inner = Array.from({ length: width }, (_each, at) => [`t${at}`, task(`c${level + 1}`)]);
    components[`c${level}`] = { dag: { tasks: Object.fromEntries(inner) } };
  }
  return pipeline({ components, tasks: { t: task("c0") } });
}

test("components are nested only so deep, however deep the document", () => {
  expect(refusal(nested(NESTING_MAX - 1, 1))).toBe("accepted");
  expect(refusal(nested(NESTING_MAX + 1, 1))).toContain("is nested too deeply");
  expect(refusal(nested(20_000, 1))).toContain("is nested too deeply");
});

test("a small document that unfolds to very many tasks is refused", () => {
  expect(refusal(nested(4, 10))).toBe("accepted");
  expect(refusal(nested(9, 10))).toContain("unfolds to more than");
});
