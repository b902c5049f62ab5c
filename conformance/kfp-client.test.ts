import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { fail, runUntilAborted } from "@kelp/pipelines/server/testing";
import { openPipelinesDoor } from "./pipelines-door.ts";

const python = process.env["KELP_TEST_PYTHON"];
const CLIENT_TIMEOUT_MS = 180_000;

describe.skipIf(python === undefined || python === "")(
  "the kfp SDK against the pipelines API",
  () => {
    test.each(["kfp_client.py", "kfp_kubeflow_client.py"])(
      "%s: every method works",
      async (script) => {
        await using door = await openPipelinesDoor({ fail, wait: runUntilAborted });
        expect(await runChecks(script, door.url)).toEqual([]);
      },
      CLIENT_TIMEOUT_MS,
    );
  },
);

interface Check {
  readonly method: string;
  readonly failure: string | null;
}

/** Runs a script of checks and gives those that failed. */
async function runChecks(script: string, url: string): Promise<readonly Check[]> {
  const path = fileURLToPath(new URL(`./python/${script}`, import.meta.url));
  const child = Bun.spawn([python ?? "python3", path, url], { stdout: "pipe", stderr: "pipe" });
  const [output, errors, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect({ exitCode, errors: exitCode === 0 ? "" : errors }).toEqual({ exitCode: 0, errors: "" });
  const lines = output.split("\n").filter((line) => line.startsWith("CHECK "));
  expect(lines.length).toBeGreaterThan(0);
  const checks = lines.map((line) => JSON.parse(line.slice("CHECK ".length)) as Check);
  return checks.filter((check) => check.failure !== null);
}
