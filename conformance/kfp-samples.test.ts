import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@kelp/base/testing";
import { type JsonValue, PipelinesError, type Task, parsePipelineSpec } from "@kelp/pipelines";
import { createEngineRig } from "@kelp/pipelines/testing";
import { SAMPLES_FOLDER, readSample } from "./read-sample.ts";
import { NEEDS_INDEX, UNSUPPORTED } from "./kfp-samples-unsupported.ts";

/**
 * Runs every compiled sample to its end and compares with what the reference gives. `KELP_TEST_PYTHON` is an
 * interpreter with kfp; without it the samples are only parsed. `KELP_TEST_INDEX=1` says that a package index can be
 * reached.
 */

interface Expectation {
  readonly expect: "SUCCEEDED" | "FAILED" | "REJECTED";
  readonly class: string;
  readonly arguments?: Readonly<Record<string, JsonValue>>;
  readonly min_tasks?: number;
  readonly tasks_ok?: readonly string[];
  readonly tasks_failed?: readonly string[];
  readonly outputs?: Readonly<Record<string, JsonValue>>;
}

const PYTHON = process.env["KELP_TEST_PYTHON"];
const SAMPLE_TIMEOUT_MS = 120_000;
const SECRETS = new Map([
  ["test-secret-1", new Map([["username", "user1"]])],
  ["test-secret-2", new Map([["password", "psw1"]])],
  ["test-secret-3", new Map([["password", "psw2"]])],
]);

const expectations = JSON.parse(
  readFileSync(join(SAMPLES_FOLDER, "expect.json"), "utf8"),
) as Readonly<Record<string, Expectation>>;

for (const [name, expectation] of Object.entries(expectations)) {
  if (expectation.expect === "REJECTED") {
    if (!name.endsWith(".yaml")) continue;
    test(`${name} is refused`, () => {
      expect(() => parsePipelineSpec(readSample(name))).toThrow(PipelinesError);
    });
    continue;
  }
  test(`${name} is accepted`, () => {
    expect(parsePipelineSpec(readSample(name)).spec.name).not.toBe("");
  });
  // Named with its reason in the table, and only accepted, not run.
  if (UNSUPPORTED[name] !== undefined) continue;
  const lacksIndex = NEEDS_INDEX.has(name) && process.env["KELP_TEST_INDEX"] !== "1";
  test.skipIf(PYTHON === undefined || lacksIndex)(
    `${name} ends ${expectation.expect}`,
    () => runSample(name, expectation),
    SAMPLE_TIMEOUT_MS,
  );
}

test("every sample that is not run exists", () => {
  const unknown = Object.keys(UNSUPPORTED).filter((name) => expectations[name] === undefined);
  expect(unknown).toEqual([]);
});

async function runSample(name: string, expectation: Expectation): Promise<void> {
  using folder = temporaryFolder();
  await using rig = createEngineRig({
    folder: folder.path,
    subprocess: { python: PYTHON ?? "python3", imagePolicy: "host" },
    engine: { secrets: SECRETS },
  });
  const given = Object.entries(expectation.arguments ?? {}).map(([key, value]) => [
    key,
    value === "@fresh" ? join(folder.path, `fresh-${key}`) : value,
  ]);
  const { run, tasks } = await rig.run(readSample(name), Object.fromEntries(given));
  const shown = tasks.map((task) => `${task.name} ${task.state} ${task.error ?? ""}`).join("\n");
  const state: string = run.state;
  expect(state, shown).toBe(expectation.expect);
  expect(ended(tasks, "SUCCEEDED"), shown).toEqual(
    expect.arrayContaining([...(expectation.tasks_ok ?? [])]),
  );
  expect(ended(tasks, "FAILED"), shown).toEqual(
    expect.arrayContaining([...(expectation.tasks_failed ?? [])]),
  );
  const executed = tasks.filter((task) => isLeaf(task) && task.state !== "SKIPPED");
  expect(executed.length, shown).toBeGreaterThanOrEqual(expectation.min_tasks ?? 0);
  if (expectation.outputs !== undefined) {
    expect(tasks[0]?.outputs.parameters).toEqual(expectation.outputs);
  }
}

function ended(tasks: readonly Task[], state: Task["state"]): readonly string[] {
  return tasks.filter((task) => isLeaf(task) && task.state === state).map((task) => task.name);
}

function isLeaf(task: Task): boolean {
  return task.kind === "step" || task.kind === "importer";
}
