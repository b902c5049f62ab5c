import { expect, test } from "bun:test";
import { existsSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase, systemProcesses } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import type { JsonObject } from "../../spec/json.ts";
import { parsePipelineSpec } from "../../spec/parse-pipeline.ts";
import { type EngineRig, createEngineRig } from "../../testing/index.ts";
import {
  constant,
  fromTask,
  pipeline,
  stepComponent,
  task,
  type,
} from "../../testing/spec-builder.ts";
import type { SubprocessOptions } from "./subprocess-executor.ts";

/** One step with a shell script; `$0` and on are the arguments. */
function shellSpec(
  script: string,
  options: { args?: readonly string[]; component?: JsonObject; container?: JsonObject } = {},
): JsonObject {
  return pipeline({
    components: { step: options.component ?? stepComponent("step") },
    tasks: { step: task("step") },
    executors: {
      "exec-step": {
        container: {
          image: "alpine",
          command: ["sh", "-c", script],
          args: options.args ?? [],
          ...options.container,
        },
      },
    },
  });
}

function rigIn(folder: string, subprocess: Partial<SubprocessOptions> = {}): EngineRig {
  return createEngineRig({ folder, subprocess });
}

async function logOf(rig: EngineRig, runId: string, taskId: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  const { signal } = new AbortController();
  for await (const piece of rig.engine.openLog(runId, taskId, { follow: false, signal }))
    pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test("a step sees nothing of the server's secrets and gets folders of its own", async () => {
  using folder = temporaryFolder();
  const environment = {
    PATH: process.env["PATH"],
    AWS_SECRET_ACCESS_KEY: "x",
    KELP_TOKEN: "y",
    TZ: "UTC",
  };
  await using rig = rigIn(folder.path, { environment });
  const component = stepComponent("step", { outputs: { out: "STRING" } });
  const { task: of } = await rig.run(
    shellSpec('env > "$0"', { args: ["{{$.outputs.parameters['out'].output_file}}"], component }),
  );
  const printed = JSON.stringify(of("step").outputs.parameters["out"]);
  expect(printed).not.toContain("AWS_");
  expect(printed).not.toContain("KELP_");
  expect(printed).toContain("TZ=UTC");
  expect(printed).toContain(`TMPDIR=${folder.path}`);
  await rig.engine.stop();
  expect(existsSync(join(folder.path, "work/runs", of("step").runId))).toBe(false);
});

test("a failed step says its exit code and its last lines", async () => {
  using folder = temporaryFolder();
  await using rig = rigIn(folder.path);
  const { run, task: of } = await rig.run(
    shellSpec("echo first; echo 'no such column: age' >&2; exit 3"),
  );
  expect(run.state).toBe("FAILED");
  expect(of("step").error).toStartWith(
    "The step ended with exit code 3: no such column: age\nIts last lines:\nfirst\n",
  );
  expect(await logOf(rig, run.runId, of("step").taskId)).toContain("first\n");
});

test("the end of something printed is not taken for the reason of a failure", async () => {
  using folder = temporaryFolder();
  await using rig = rigIn(folder.path);
  const { task: of } = await rig.run(shellSpec("echo '{'; echo '}'; exit 1"));
  expect(of("step").error).toBe("The step ended with exit code 1\nIts last lines:\n{\n}");
});

test("an output parameter that was not written is named", async () => {
  using folder = temporaryFolder();
  await using rig = rigIn(folder.path);
  const component = stepComponent("step", { outputs: { accuracy: "NUMBER_DOUBLE" } });
  const { task: of } = await rig.run(shellSpec("true", { component }));
  expect(of("step").error).toContain("did not write its output parameter accuracy");
});

test("a program that is not there is named together with its image", async () => {
  using folder = temporaryFolder();
  await using rig = rigIn(folder.path);
  const container = { command: ["no-such-program"] };
  const { task: of } = await rig.run(shellSpec("", { container }));
  expect(of("step").error).toContain("no-such-program is not installed on this machine");
  expect(of("step").error).toContain("alpine");
});

test("the refusing image policy fails container steps and names the image", async () => {
  using folder = temporaryFolder();
  await using rig = rigIn(folder.path, { imagePolicy: "refuse" });
  const { task: of } = await rig.run(shellSpec("true"));
  expect(of("step").error).toContain("needs the container image alpine");
});

test("artifacts travel through the store, files and folders alike", async () => {
  using folder = temporaryFolder();
  await using rig = rigIn(folder.path);
  const path = (side: string, name: string): string => `{{$.${side}.artifacts['${name}'].path}}`;
  const spec = pipeline({
    components: {
      make: stepComponent("make", { artifactOutputs: ["file", "folder"] }),
      use: stepComponent("use", {
        artifactInputs: {
          file: { artifactType: { schemaTitle: "system.Dataset" } },
          folder: { artifactType: { schemaTitle: "system.Dataset" } },
        },
        outputs: { out: "STRING" },
      }),
    },
    tasks: {
      make: task("make"),
      use: task("use", {
        inputs: {
          artifacts: {
            file: { taskOutputArtifact: { producerTask: "make", outputArtifactKey: "file" } },
            folder: { taskOutputArtifact: { producerTask: "make", outputArtifactKey: "folder" } },
          },
        },
      }),
    },
    executors: {
      "exec-make": {
        container: {
          image: "i",
          command: ["sh", "-c", 'printf one > "$0"; mkdir -p "$1/deep"; printf two > "$1/deep/x"'],
          args: [path("outputs", "file"), path("outputs", "folder")],
        },
      },
      "exec-use": {
        container: {
          image: "i",
          command: ["sh", "-c", 'cat "$0" "$1/deep/x" > "$2"'],
          args: [
            path("inputs", "file"),
            path("inputs", "folder"),
            "{{$.outputs.parameters['out'].output_file}}",
          ],
        },
      },
    },
  });
  const { task: of } = await rig.run(spec);
  expect(of("use").outputs.parameters).toEqual({ out: "onetwo" });
  const uri = of("make").outputs.artifacts["folder"]?.[0]?.uri ?? "";
  expect(uri).toMatch(/^s3:\/\/mlpipeline\/v2\/artifacts\/test-pipeline\/.+\/make\/.+\/folder$/);
  expect(rig.objects.text("mlpipeline", `${uri.slice("s3://mlpipeline/".length)}/deep/x`)).toBe(
    "two",
  );
});

test("a step over its deadline is killed with everything that it started", async () => {
  using folder = temporaryFolder();
  await using rig = rigIn(folder.path);
  const platform = {
    platforms: {
      kubernetes: {
        deploymentSpec: { executors: { "exec-step": { activeDeadlineSeconds: "1" } } },
      },
    },
  };
  const { task: of } = await rig.run({
    pipeline_spec: shellSpec(`sleep 1000 & echo $! > ${folder.path}/pid; wait`),
    platform_spec: platform,
  });
  expect(of("step").error).toContain("took longer than 1 s");
  const pid = Number(readFileSync(`${folder.path}/pid`, "utf8"));
  expect(systemProcesses.identify(pid)).toBeUndefined();
});

test("a missing secret fails the step by name; an unsupported mount too", async () => {
  using folder = temporaryFolder();
  await using rig = rigIn(folder.path);
  const run = async (settings: JsonObject): Promise<string | undefined> => {
    const platform = {
      platforms: { kubernetes: { deploymentSpec: { executors: { "exec-step": settings } } } },
    };
    const finished = await rig.run({ pipeline_spec: shellSpec("true"), platform_spec: platform });
    return finished.task("step").error;
  };
  const keyToEnv = [{ secretKey: "password", envVar: "PASSWORD" }];
  expect(await run({ secretAsEnv: [{ secretName: "db", keyToEnv }] })).toContain("needs secret db");
  expect(
    await run({ secretAsEnv: [{ secretName: "db", keyToEnv, optional: true }] }),
  ).toBeUndefined();
  expect(await run({ pvcMount: [{ mountPath: "/data", constant: "claim" }] })).toContain(
    "a mounted volume claim",
  );
  expect(await run({ nodeSelector: { labels: { gpu: "a" } } })).toBeUndefined();
});

test("a killed engine's run is finished by the next one; finished steps are not repeated", async () => {
  using folder = temporaryFolder();
  const marks = join(folder.path, "marks");
  writeFileSync(marks, "");
  const shell = (script: string): JsonObject => ({
    container: { image: "i", command: ["sh", "-c", script] },
  });
  const spec = pipeline({
    components: {
      first: stepComponent("first", { outputs: { out: "STRING" } }),
      second: stepComponent("second", { inputs: { x: type("STRING") } }),
    },
    tasks: {
      first: task("first"),
      second: task("second", {
        inputs: { parameters: { x: fromTask("first"), y: constant("1") } },
      }),
    },
    executors: {
      "exec-first": shell(
        `echo first >> ${marks}; printf done > {{$.outputs.parameters['out'].output_file}}`,
      ),
      // Waits for ever the first time, and ends at once when it finds that it was here before.
      "exec-second": shell(
        `if grep -q second ${marks}; then echo again >> ${marks}; else echo second $$ >> ${marks}; sleep 1000; fi`,
      ),
    },
  });
  const specPath = join(folder.path, "spec.json");
  writeFileSync(specPath, JSON.stringify(spec));
  const child = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, "../../testing/engine-process.ts"),
      folder.path,
      specPath,
    ],
    { stdout: "inherit", stderr: "inherit" },
  );
  await untilFile(marks, (text) => /second \d+\n/.test(text));
  child.kill("SIGKILL");
  await child.exited;
  const orphan = Number(/second (\d+)/.exec(readFileSync(marks, "utf8"))?.[1]);
  expect(systemProcesses.identify(orphan)).toBeDefined();

  using database = openDatabase(join(folder.path, "engine.db"));
  await using rig = createEngineRig({ folder: folder.path, database });
  await rig.engine.resume();
  const runId = database.prepare<{ run_id: string }>("SELECT run_id FROM runs").get()?.run_id ?? "";
  const run = await rig.engine.waitForRun(runId);
  expect(run.state).toBe("SUCCEEDED");
  expect(readFileSync(marks, "utf8").replaceAll(/\d+/g, "").trim().split(/\s+/)).toEqual([
    "first",
    "second",
    "again",
  ]);
  expect(systemProcesses.identify(orphan)).toBeUndefined();
  expect(rig.engine.getTasks(runId).map(({ name, attempt }) => [name, attempt])).toEqual([
    ["test-pipeline", 0],
    ["first", 1],
    ["second", 1],
  ]);
  expect(parsePipelineSpec(spec).spec.name).toBe(run.pipelineName);
}, 20_000);

/** Resolves when the file's text is as wanted. */
function untilFile(path: string, isWanted: (text: string) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!isWanted(readFileSync(path, "utf8"))) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(path, look);
    look();
  });
}
