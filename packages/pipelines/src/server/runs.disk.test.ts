import { describe, expect, test } from "bun:test";
import {
  artifactSpec,
  fail,
  openApiWorld,
  parameterSpec,
  runUntilAborted,
  specOf,
} from "./testing/index.ts";

const RUNS = "/apis/v2beta1/runs";
const EXPERIMENTS = "/apis/v2beta1/experiments";

describe("creating runs", () => {
  test("a run of a specification belongs to the default experiment and shows the specification", async () => {
    await using world = openApiWorld();
    const pipeline_spec = specOf("hello");
    const created = await world.call("POST", RUNS, { display_name: "first", pipeline_spec });
    expect(created.status).toBe(200);
    expect(created.body).toMatchObject({ display_name: "first", state: "PENDING", pipeline_spec });
    expect(created.body.finished_at).toBe("1970-01-01T00:00:00Z");
    expect(created.body.run_details).toBeUndefined();
    const [experiment] = (await world.call("GET", EXPERIMENTS)).body.experiments;
    expect(created.body.experiment_id).toBe(experiment.experiment_id);
    expect(experiment).toMatchObject({ display_name: "Default", storage_state: "AVAILABLE" });
    expect(experiment.last_run_created_at).not.toBe("1970-01-01T00:00:00Z");
  });

  test("its tasks are told with the run", async () => {
    await using world = openApiWorld();
    const created = await createRun(world, { pipeline_spec: specOf("hello", ["one", "two"]) });
    await world.engine.waitForRun(created);
    const run = (await world.call("GET", `${RUNS}/${created}`)).body;
    expect(run.state).toBe("SUCCEEDED");
    const tasks = new Map<string, Record<string, unknown>>(
      run.run_details.task_details.map((task: { display_name: string }) => [
        task.display_name,
        task,
      ]),
    );
    const one = tasks.get("one");
    expect(one).toMatchObject({ run_id: created, state: "SUCCEEDED" });
    expect(one?.["end_time"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const root = run.run_details.task_details.find(
      (task: { task_id: string }) => task.task_id === one?.["parent_task_id"],
    );
    expect(root.child_tasks).toEqual([
      { task_id: one?.["task_id"] },
      { task_id: tasks.get("two")?.["task_id"] },
    ]);
  });

  test("a platform specification is given back as it was sent", async () => {
    await using world = openApiWorld();
    const pipeline_spec = {
      pipeline_spec: specOf("hello"),
      platform_spec: { platforms: { kubernetes: {} } },
    };
    const id = await createRun(world, { pipeline_spec });
    expect((await world.call("GET", `${RUNS}/${id}`)).body.pipeline_spec).toEqual(pipeline_spec);
  });

  test("camel case is taken like snake case, empty texts like absent ones", async () => {
    await using world = openApiWorld();
    const created = await world.call("POST", `${RUNS}?experiment_id=`, {
      displayName: "camel",
      pipelineSpec: parameterSpec("camel"),
      experimentId: "",
      serviceAccount: null,
      runtimeConfig: { parameters: { count: 2, text: "x" }, pipelineRoot: "" },
    });
    expect(created.body.runtime_config.parameters).toMatchObject({ count: 2, text: "x" });
  });

  test("the experiment of the query counts when the body has none", async () => {
    await using world = openApiWorld();
    const experiment = (await world.call("POST", EXPERIMENTS, { display_name: "mine" })).body;
    const created = await world.call("POST", `${RUNS}?experiment_id=${experiment.experiment_id}`, {
      display_name: "run",
      pipeline_spec: specOf("hello"),
    });
    expect(created.body.experiment_id).toBe(experiment.experiment_id);
  });

  test.each([
    ["no name", { pipeline_spec: specOf("hello") }, "display_name"],
    ["a long name", { display_name: "x".repeat(300), pipeline_spec: specOf("hello") }, "255"],
    ["no pipeline", { display_name: "x" }, "neither pipeline_spec"],
    ["an unknown field", { display_name: "x", pipeline_spec: specOf("a"), colour: 1 }, "colour"],
    ["a field twice", { display_name: "x", displayName: "y", pipeline_spec: specOf("a") }, "twice"],
    ["a wrong type", { display_name: 5, pipeline_spec: specOf("a") }, "display_name"],
    ["a broken specification", { display_name: "x", pipeline_spec: { root: {} } }, "schemaVersion"],
    [
      "a name the pipeline may not have",
      { display_name: "x", pipeline_spec: specOf("A b") },
      "pipelineInfo.name",
    ],
    ["a missing parameter", { display_name: "x", pipeline_spec: parameterSpec("p") }, "count"],
    [
      "a parameter of another type",
      {
        display_name: "x",
        pipeline_spec: parameterSpec("p"),
        runtime_config: { parameters: { count: "x" } },
      },
      "count",
    ],
    [
      "an unknown parameter",
      {
        display_name: "x",
        pipeline_spec: parameterSpec("p"),
        runtime_config: { parameters: { count: 1, more: 1 } },
      },
      "more",
    ],
  ])("refuses %s", async (_what, request, reason) => {
    await using world = openApiWorld();
    const answer = await world.call("POST", RUNS, request);
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe(3);
    expect(answer.body.message).toContain(reason);
    expect((await world.call("GET", RUNS)).body).toEqual({});
  });

  test("refuses a body that is no JSON", async () => {
    await using world = openApiWorld();
    expect((await world.call("POST", RUNS, "{")).status).toBe(400);
  });

  test("refuses an unknown experiment with 404 and an archived one with 400", async () => {
    await using world = openApiWorld();
    const request = { display_name: "x", pipeline_spec: specOf("hello") };
    const unknown = await world.call("POST", RUNS, { ...request, experiment_id: "nowhere" });
    expect([unknown.status, unknown.body.code]).toEqual([404, 5]);
    const { experiment_id } = (await world.call("POST", EXPERIMENTS, { display_name: "e" })).body;
    await world.call("POST", `${EXPERIMENTS}/${experiment_id}:archive`);
    const archived = await world.call("POST", RUNS, { ...request, experiment_id });
    expect([archived.status, archived.body.code]).toEqual([400, 9]);
  });
});

describe("changing runs", () => {
  test("archiving touches the storage state alone, both ways", async () => {
    await using world = openApiWorld();
    const id = await createRun(world, { pipeline_spec: specOf("hello") });
    await world.engine.waitForRun(id);
    const get = async () => (await world.call("GET", `${RUNS}/${id}`)).body;
    expect((await world.call("POST", `${RUNS}/${id}:archive`)).body).toEqual({});
    expect(await get()).toMatchObject({ storage_state: "ARCHIVED", state: "SUCCEEDED" });
    await world.call("POST", `${RUNS}/${id}:unarchive`);
    expect(await get()).toMatchObject({ storage_state: "AVAILABLE", state: "SUCCEEDED" });
  });

  test("archiving an experiment archives its runs; unarchiving gives back the experiment alone", async () => {
    await using world = openApiWorld();
    const { experiment_id } = (await world.call("POST", EXPERIMENTS, { display_name: "e" })).body;
    const inside = await createRun(world, { pipeline_spec: specOf("a"), experiment_id });
    const outside = await createRun(world, { pipeline_spec: specOf("b") });
    const storage = async (id: string) =>
      (await world.call("GET", `${RUNS}/${id}`)).body.storage_state;
    await world.call("POST", `${EXPERIMENTS}/${experiment_id}:archive`);
    expect([await storage(inside), await storage(outside)]).toEqual(["ARCHIVED", "AVAILABLE"]);
    const early = await world.call("POST", `${RUNS}/${inside}:unarchive`);
    expect([early.status, early.body.code]).toEqual([400, 9]);
    await world.call("POST", `${EXPERIMENTS}/${experiment_id}:unarchive`);
    expect(await storage(inside)).toBe("ARCHIVED");
    expect((await world.call("POST", `${RUNS}/${inside}:unarchive`)).status).toBe(200);
    expect(await storage(inside)).toBe("AVAILABLE");
  });

  test("a terminated run ends FAILED; terminating again changes nothing", async () => {
    await using world = openApiWorld({ step: runUntilAborted });
    const id = await createRun(world, { pipeline_spec: specOf("hello") });
    expect((await world.call("POST", `${RUNS}/${id}:terminate`)).body).toEqual({});
    await world.engine.waitForRun(id);
    const run = (await world.call("GET", `${RUNS}/${id}`)).body;
    expect(run.state).toBe("FAILED");
    expect(run.state_history.map((change: { state: string }) => change.state)).toContain(
      "CANCELING",
    );
    expect((await world.call("POST", `${RUNS}/${id}:terminate`)).status).toBe(200);
    expect((await world.call("GET", `${RUNS}/${id}`)).body).toEqual(run);
  });

  test("a failed run is retried under its id, another is refused", async () => {
    let attempts = 0;
    await using world = openApiWorld({
      step: (request, log, signal) => {
        attempts += 1;
        if (attempts === 1) return fail(request, log, signal);
        return { kind: "succeeded", parameters: {}, artifacts: {} };
      },
    });
    const id = await createRun(world, { pipeline_spec: specOf("hello") });
    expect((await world.engine.waitForRun(id)).state).toBe("FAILED");
    const failed = (await world.call("GET", `${RUNS}/${id}`)).body;
    expect(failed.error.message).not.toBe("");
    expect((await world.call("POST", `${RUNS}/${id}:retry`)).status).toBe(200);
    expect((await world.engine.waitForRun(id)).state).toBe("SUCCEEDED");
    const again = await world.call("POST", `${RUNS}/${id}:retry`);
    expect([again.status, again.body.code]).toEqual([400, 9]);
  });

  test("a deleted run is gone", async () => {
    await using world = openApiWorld();
    const id = await createRun(world, { pipeline_spec: specOf("hello") });
    expect((await world.call("DELETE", `${RUNS}/${id}`)).body).toEqual({});
    expect((await world.call("GET", `${RUNS}/${id}`)).status).toBe(404);
  });

  test.each(["GET", "DELETE"])("%s of an unknown run is 404", async (method) => {
    await using world = openApiWorld();
    const answer = await world.call(method, `${RUNS}/nothing`);
    expect([answer.status, answer.body.code]).toEqual([404, 5]);
  });

  test.each(["archive", "unarchive", "terminate", "retry", "fly"])(
    "%s of an unknown run is 404",
    async (verb) => {
      await using world = openApiWorld();
      expect((await world.call("POST", `${RUNS}/nothing:${verb}`)).status).toBe(404);
    },
  );
});

describe("listing runs", () => {
  test("an experiment, a state and a page select among them", async () => {
    await using world = openApiWorld({ bad: fail });
    const { experiment_id } = (await world.call("POST", EXPERIMENTS, { display_name: "e" })).body;
    const good = await createRun(world, { pipeline_spec: specOf("a"), experiment_id });
    const bad = await createRun(world, { pipeline_spec: specOf("b", ["bad"]), experiment_id });
    const other = await createRun(world, { pipeline_spec: specOf("c") });
    for (const id of [good, bad, other]) await world.engine.waitForRun(id);
    const ids = async (query: Record<string, string>): Promise<string[]> => {
      const answer = await world.call("GET", `${RUNS}?${new URLSearchParams(query).toString()}`);
      return (answer.body.runs ?? []).map((run: { run_id: string }) => run.run_id);
    };
    const state = (value: string): string =>
      JSON.stringify({ predicates: [{ operation: "EQUALS", key: "state", stringValue: value }] });
    expect(await ids({ namespace: "kubeflow" })).toEqual([good, bad, other]);
    expect(await ids({ experiment_id })).toEqual([good, bad]);
    expect(await ids({ experiment_id, filter: state("FAILED") })).toEqual([bad]);
    expect(await ids({ filter: state("SUCCEEDED"), sort_by: "created_at desc" })).toEqual([
      other,
      good,
    ]);
    expect(await ids({ experiment_id: "" })).toHaveLength(3);
    const first = (await world.call("GET", `${RUNS}?page_size=2`)).body;
    expect([first.total_size, first.runs.length]).toEqual([3, 2]);
    expect(await ids({ page_size: "2", page_token: first.next_page_token })).toEqual([other]);
  });
});

describe("artifacts", () => {
  test("tasks name their artifacts by ids as text", async () => {
    await using world = openApiWorld();
    const id = await createRun(world, { pipeline_spec: artifactSpec("art") });
    await world.engine.waitForRun(id);
    const { task_details } = (await world.call("GET", `${RUNS}/${id}`)).body.run_details;
    const find = (name: string) =>
      task_details.find((task: { display_name: string }) => task.display_name === name);
    const ids = find("produce").outputs.data.artifact_ids;
    expect(ids).toEqual([expect.stringMatching(/^\d+$/)]);
    expect(find("consume").inputs.data.artifact_ids).toEqual(ids);
  });
});

async function createRun(
  world: ReturnType<typeof openApiWorld>,
  request: Readonly<Record<string, unknown>>,
): Promise<string> {
  const answer = await world.call("POST", RUNS, { display_name: "run", ...request });
  expect(answer.body).toMatchObject({ display_name: "run" });
  return answer.body.run_id;
}
