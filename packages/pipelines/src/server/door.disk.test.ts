import { describe, expect, test } from "bun:test";
import { utf8 } from "@kelp/base";
import type { AccessRequest } from "@kelp/wire";
import {
  type ApiWorld,
  type StepScript,
  artifactSpec,
  openApiWorld,
  specOf,
  succeed,
} from "./testing/index.ts";

const KELP = "/apis/kelp/v1";
const RUNS = "/apis/v2beta1/runs";

async function finishedRun(world: ApiWorld, spec: unknown): Promise<string> {
  const created = await world.call("POST", RUNS, { display_name: "run", pipeline_spec: spec });
  const id: string = created.body.run_id;
  await world.engine.waitForRun(id);
  return id;
}

describe("the door", () => {
  test("an unadmitted caller gets 401 or 403 for everything, also healthz", async () => {
    await using world = openApiWorld();
    for (const [status, code] of [
      [401, 16],
      [403, 7],
    ] as const) {
      for (const path of ["/apis/v2beta1/healthz", RUNS, "/apis/nothing"]) {
        const response = await world.handler(
          new Request(`http://door${path}`),
          { kind: "refused", status, message: "Sign in first" },
          {
            method: "GET",
            headers: {},
            remoteAddress: "",
            remotePort: 1,
            localAddress: "",
            localPort: 1,
          },
        );
        expect(response.status).toBe(status);
        expect(await response.json()).toMatchObject({ code, message: "Sign in first" });
      }
    }
  });

  test("healthz says which server it is, and nothing of several users", async () => {
    await using world = openApiWorld();
    expect((await world.call("GET", "/apis/v2beta1/healthz")).body).toEqual({
      tag_name: "test",
      pipeline_store: "database",
    });
    expect((await world.call("GET", "/apis/v1beta1/healthz")).body).toEqual({ tag_name: "test" });
  });

  test.each([
    ["GET", "/apis/v2beta1/nothing", 404, 5],
    ["PUT", RUNS, 404, 5],
    ["GET", "/apis/v2beta1/recurringruns", 501, 12],
    ["POST", "/apis/v2beta1/recurringruns", 501, 12],
    ["DELETE", "/apis/v2beta1/recurringruns/x", 501, 12],
    ["POST", "/apis/v2beta1/recurringruns/x:enable", 501, 12],
  ])("%s %s is %i", async (method, path, status, code) => {
    await using world = openApiWorld();
    const answer = await world.call(method, path);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.body.details[0]["@type"]).toBe("type.googleapis.com/google.rpc.Status");
  });

  test.each([
    ["GET", "/apis/v2beta1/healthz", "pipelines:GetHealthz", "healthz"],
    ["GET", "/apis/v2beta1/pipelines", "pipelines:ListPipelines", "pipeline/"],
    ["POST", "/apis/v2beta1/pipelines", "pipelines:CreatePipeline", "pipeline/"],
    ["POST", "/apis/v2beta1/pipelines/create", "pipelines:CreatePipeline", "pipeline/"],
    ["POST", "/apis/v2beta1/pipelines/upload", "pipelines:CreatePipeline", "pipeline/"],
    [
      "POST",
      "/apis/v2beta1/pipelines/upload_version?pipelineid=a",
      "pipelines:CreatePipelineVersion",
      "pipeline/a",
    ],
    ["GET", "/apis/v2beta1/pipelines/names/a", "pipelines:GetPipeline", "pipeline/"],
    ["GET", "/apis/v2beta1/pipelines/a", "pipelines:GetPipeline", "pipeline/a"],
    ["PATCH", "/apis/v2beta1/pipelines/a", "pipelines:UpdatePipeline", "pipeline/a"],
    ["DELETE", "/apis/v2beta1/pipelines/a", "pipelines:DeletePipeline", "pipeline/a"],
    ["POST", "/apis/v2beta1/pipelines/a/versions", "pipelines:CreatePipelineVersion", "pipeline/a"],
    ["GET", "/apis/v2beta1/pipelines/a/versions", "pipelines:ListPipelineVersions", "pipeline/a"],
    ["GET", "/apis/v2beta1/pipelines/a/versions/b", "pipelines:GetPipelineVersion", "version/b"],
    [
      "PATCH",
      "/apis/v2beta1/pipelines/a/versions/b",
      "pipelines:UpdatePipelineVersion",
      "version/b",
    ],
    [
      "DELETE",
      "/apis/v2beta1/pipelines/a/versions/b",
      "pipelines:DeletePipelineVersion",
      "version/b",
    ],
    ["POST", "/apis/v2beta1/experiments", "pipelines:CreateExperiment", "experiment/"],
    ["GET", "/apis/v2beta1/experiments", "pipelines:ListExperiments", "experiment/"],
    ["GET", "/apis/v2beta1/experiments/a", "pipelines:GetExperiment", "experiment/a"],
    ["DELETE", "/apis/v2beta1/experiments/a", "pipelines:DeleteExperiment", "experiment/a"],
    ["POST", "/apis/v2beta1/experiments/a:archive", "pipelines:ArchiveExperiment", "experiment/a"],
    [
      "POST",
      "/apis/v2beta1/experiments/a:unarchive",
      "pipelines:UnarchiveExperiment",
      "experiment/a",
    ],
    ["POST", RUNS, "pipelines:CreateRun", "run/"],
    ["GET", RUNS, "pipelines:ListRuns", "run/"],
    ["GET", `${RUNS}/a`, "pipelines:GetRun", "run/a"],
    ["DELETE", `${RUNS}/a`, "pipelines:DeleteRun", "run/a"],
    ["POST", `${RUNS}/a:archive`, "pipelines:ArchiveRun", "run/a"],
    ["POST", `${RUNS}/a:unarchive`, "pipelines:UnarchiveRun", "run/a"],
    ["POST", `${RUNS}/a:terminate`, "pipelines:TerminateRun", "run/a"],
    ["POST", `${RUNS}/a:retry`, "pipelines:RetryRun", "run/a"],
    ["GET", `${KELP}/runs/a/graph`, "pipelines:GetRun", "run/a"],
    ["GET", `${KELP}/runs/a/tasks/b/log`, "pipelines:GetRunLog", "run/a"],
    ["GET", `${KELP}/artifacts`, "pipelines:ListArtifacts", "artifact/"],
    ["GET", `${KELP}/artifacts/1`, "pipelines:GetArtifact", "artifact/1"],
    ["GET", `${KELP}/artifacts/1/content`, "pipelines:GetArtifact", "artifact/1"],
  ])(
    "%s %s needs %s, and is refused before anything is looked up",
    async (method, path, action, resource) => {
      await using world = openApiWorld();
      const asked: AccessRequest[] = [];
      world.isAllowed = (request) => {
        asked.push(request);
        return false;
      };
      const answer = await world.call(method, path);
      expect(answer.status).toBe(403);
      expect(asked).toEqual([
        {
          principal: { kind: "root", name: "root" },
          action,
          resource: `arn:kelp:pipelines:::${resource}`,
        },
      ]);
      const words = [answer.body.message, answer.body.error_message].join("");
      expect(words).toContain("permission");
    },
  );

  test("what nobody foresaw is 500 without its inside", async () => {
    await using world = openApiWorld();
    world.isAllowed = () => {
      throw new Error("secret detail");
    };
    const answer = await world.call("GET", RUNS);
    expect([answer.status, answer.body.code]).toEqual([500, 13]);
    expect(JSON.stringify(answer.body)).not.toContain("secret detail");
  });
});

describe("run graph and logs", () => {
  test("the graph has every task with its place and state", async () => {
    await using world = openApiWorld();
    const id = await finishedRun(world, specOf("hello", ["one", "two"]));
    const graph = (await world.call("GET", `${KELP}/runs/${id}/graph`)).body;
    expect(graph).toMatchObject({ run_id: id, state: "SUCCEEDED", pipeline_name: "hello" });
    const byName = Map.groupBy<string, Record<string, unknown>>(graph.tasks, (task) =>
      String(task["name"]),
    );
    const [one, two] = [byName.get("one")?.[0], byName.get("two")?.[0]];
    expect(one).toMatchObject({ kind: "step", state: "SUCCEEDED", has_log: true, depends_on: [] });
    expect(two).toMatchObject({ depends_on: [one?.["task_id"]] });
  });

  test("a finished log is whole", async () => {
    await using world = openApiWorld();
    const id = await finishedRun(world, specOf("hello"));
    const log = await world.send("GET", await logPath(world, id));
    expect(log.headers.get("content-type")).toStartWith("text/plain");
    expect(await log.text()).toContain("step ran");
  });

  test("a followed log comes while the step runs and ends with it", async () => {
    const step = gatedStep();
    await using world = openApiWorld({ step: step.script });
    const id = await startedRun(world, step);
    const response = await world.send("GET", `${await logPath(world, id)}?follow=true`);
    let text = "";
    for await (const piece of response.body ?? []) {
      text += new TextDecoder().decode(piece);
      if (text.includes("first line")) step.gate.resolve();
    }
    expect(text).toContain("step ran");
  });

  test("a reader that goes away ends the following", async () => {
    const step = gatedStep();
    await using world = openApiWorld({ step: step.script });
    const id = await startedRun(world, step);
    const response = await world.send("GET", `${await logPath(world, id)}?follow=true`);
    const reader = response.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await reader?.cancel();
    step.gate.resolve();
    expect((await world.engine.waitForRun(id)).state).toBe("SUCCEEDED");
  });

  test("no log is 404", async () => {
    await using world = openApiWorld();
    const id = await finishedRun(world, specOf("hello"));
    const { tasks } = (await world.call("GET", `${KELP}/runs/${id}/graph`)).body;
    const root = tasks.find((task: { kind: string }) => task.kind === "root").task_id;
    for (const path of [`${id}/tasks/nothing`, `${id}/tasks/${root}`, "nothing/tasks/nothing"]) {
      expect((await world.call("GET", `${KELP}/runs/${path}/log`)).status).toBe(404);
    }
    expect((await world.call("GET", `${KELP}/runs/nothing/graph`)).status).toBe(404);
  });
});

describe("artifacts", () => {
  const content = "0123456789";
  const produce =
    (suffix: string): StepScript =>
    (request, log, signal) => {
      world_.objects
        .putObject({
          ...place(request.outputs.artifacts["data"]?.uri ?? "", suffix),
          body: utf8(content),
          contentType: "text/html",
        })
        .catch((error: unknown) => log.note(String(error)));
      return succeed(request, log, signal);
    };
  let world_: ApiWorld;

  function place(uri: string, suffix: string): { readonly bucket: string; readonly key: string } {
    const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
    return { bucket, key: key + suffix };
  }

  async function openWithArtifact(
    suffix = "",
  ): Promise<{ world: ApiWorld; id: string; runId: string }> {
    const world = openApiWorld({ produce: produce(suffix) });
    world_ = world;
    const runId = await finishedRun(world, artifactSpec("art"));
    const [artifact] = (await world.call("GET", `${KELP}/artifacts?run_id=${runId}`)).body
      .artifacts;
    return { world, id: artifact.artifact_id, runId };
  }

  test("are listed newest first, by page and by run", async () => {
    const { world, id, runId } = await openWithArtifact();
    await using _ = world;
    await finishedRun(world, artifactSpec("art"));
    const all = (await world.call("GET", `${KELP}/artifacts?page_size=1`)).body;
    expect([all.total_size, all.artifacts.length]).toEqual([2, 1]);
    expect(all.artifacts[0].artifact_id).not.toBe(id);
    const token = encodeURIComponent(all.next_page_token);
    const rest = await world.call("GET", `${KELP}/artifacts?page_size=1&page_token=${token}`);
    expect(rest.body.artifacts.map((each: { artifact_id: string }) => each.artifact_id)).toEqual([
      id,
    ]);
    expect(rest.body.next_page_token).toBeUndefined();
    const other = await world.call("GET", `${KELP}/artifacts?run_id=${runId}&page_token=${token}`);
    expect(other.status).toBe(400);
    expect((await world.call("GET", `${KELP}/artifacts?run_id=nothing`)).body).toEqual({
      artifacts: [],
      total_size: 0,
    });
  });

  test("tell who made them and who used them", async () => {
    const { world, id, runId } = await openWithArtifact();
    await using _ = world;
    const answer = (await world.call("GET", `${KELP}/artifacts/${id}`)).body;
    expect(answer.artifact).toMatchObject({ artifact_id: id, type: "system.Dataset" });
    expect(answer.producer).toMatchObject({ run_id: runId, task_name: "produce", name: "data" });
    expect(answer.consumers).toMatchObject([{ run_id: runId, task_name: "consume" }]);
  });

  test("give their bytes so that no browser runs them", async () => {
    const { world, id } = await openWithArtifact();
    await using _ = world;
    const response = await world.send("GET", `${KELP}/artifacts/${id}/content`);
    expect(await response.text()).toBe(content);
    expect(response.headers.get("content-type")).toBe("text/html");
    expect(response.headers.get("content-length")).toBe("10");
    expect(response.headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-disposition")).toStartWith("attachment");
  });

  test.each([
    ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
    ["bytes=8-", 206, "89", "bytes 8-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=5-99", 206, "56789", "bytes 5-9/10"],
    ["bytes=-99", 206, content, "bytes 0-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=3-1", 200, content, null],
    ["bytes=0-1,3-4", 200, content, null],
    ["lines=1-2", 200, content, null],
    ["bytes=-", 200, content, null],
  ])("answer Range %s with %i", async (range, status, text, contentRange) => {
    const { world, id } = await openWithArtifact();
    await using _ = world;
    const response = await world.send("GET", `${KELP}/artifacts/${id}/content`, undefined, {
      range,
    });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-range")).toBe(contentRange);
    expect(await response.text()).toBe(text);
  });

  test("that are folders give their files by path", async () => {
    const { world, id } = await openWithArtifact("/dir/file name.txt");
    await using _ = world;
    const path = `${KELP}/artifacts/${id}/content`;
    const file = await world.send("GET", `${path}?path=${encodeURIComponent("dir/file name.txt")}`);
    expect(await file.text()).toBe(content);
    const whole = await world.call("GET", path);
    expect([whole.status, whole.body.code]).toEqual([400, 9]);
    expect(whole.body.message).toContain("folder");
    expect((await world.call("GET", `${path}?path=nothing`)).status).toBe(404);
  });

  test("need the permission to read the object too", async () => {
    const { world, id } = await openWithArtifact();
    await using _ = world;
    world.isAllowed = (request) => request.action !== "s3:GetObject";
    expect((await world.call("GET", `${KELP}/artifacts/${id}`)).status).toBe(200);
    expect((await world.call("GET", `${KELP}/artifacts/${id}/content`)).status).toBe(403);
  });

  test("that lie elsewhere are refused, unknown ones are 404", async () => {
    await using world = openApiWorld();
    const id = world.lineage.recordArtifact({
      name: "far",
      type: "system.Artifact",
      uri: "gs://bucket/key",
      metadata: {},
      createdMs: 0,
      runId: "r",
    });
    expect((await world.call("GET", `${KELP}/artifacts/${id}/content`)).status).toBe(400);
    for (const unknown of ["999", "x", "1e3", "-1"]) {
      expect((await world.call("GET", `${KELP}/artifacts/${unknown}`)).status).toBe(404);
    }
  });

  test("in a bucket that is gone are 404", async () => {
    await using world = openApiWorld();
    const id = world.lineage.recordArtifact({
      name: "gone",
      type: "system.Artifact",
      uri: "s3://gone-bucket/key",
      metadata: {},
      createdMs: 0,
      runId: "r",
    });
    expect((await world.call("GET", `${KELP}/artifacts/${id}/content`)).status).toBe(404);
  });
});

interface GatedStep {
  readonly script: StepScript;
  readonly started: PromiseWithResolvers<void>;
  /** The step ends once this is resolved. */
  readonly gate: PromiseWithResolvers<void>;
}

function gatedStep(): GatedStep {
  const started = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  return {
    started,
    gate,
    async script(request, log, signal) {
      log.write(utf8("first line\n"));
      started.resolve();
      await gate.promise;
      return succeed(request, log, signal);
    },
  };
}

async function startedRun(world: ApiWorld, step: GatedStep): Promise<string> {
  const created = await world.call("POST", RUNS, { display_name: "r", pipeline_spec: specOf("a") });
  await step.started.promise;
  return created.body.run_id;
}

async function logPath(world: ApiWorld, runId: string): Promise<string> {
  const { tasks } = (await world.call("GET", `${KELP}/runs/${runId}/graph`)).body;
  const step = tasks.find((task: { kind: string }) => task.kind === "step");
  return `${KELP}/runs/${runId}/tasks/${step.task_id}/log`;
}
