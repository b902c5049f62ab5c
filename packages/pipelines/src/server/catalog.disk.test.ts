import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ApiWorld, openApiWorld, specOf } from "./testing/index.ts";

const PIPELINES = "/apis/v2beta1/pipelines";
const EXPERIMENTS = "/apis/v2beta1/experiments";
const RUNS = "/apis/v2beta1/runs";

interface Uploaded {
  readonly query?: Readonly<Record<string, string>>;
  readonly fileName?: string;
  readonly content?: string | Uint8Array;
}

async function upload(world: ApiWorld, route: "upload" | "upload_version", what: Uploaded = {}) {
  const form = new FormData();
  const content = what.content ?? JSON.stringify(specOf("hello"));
  const bytes = typeof content === "string" ? content : Uint8Array.from(content);
  form.set("uploadfile", new Blob([bytes]), what.fileName ?? "pipeline.yaml");
  const query = new URLSearchParams(what.query).toString();
  return world.call("POST", `${PIPELINES}/${route}?${query}`, form);
}

async function versionsOf(world: ApiWorld, pipelineId: string, query = ""): Promise<string[]> {
  const answer = await world.call("GET", `${PIPELINES}/${pipelineId}/versions?${query}`);
  const versions: { name: string }[] = answer.body.pipeline_versions ?? [];
  return versions.map((version) => version.name);
}

describe("uploading pipelines", () => {
  test("makes a pipeline and a first version of the same name", async () => {
    await using world = openApiWorld();
    const query = { name: "mine", display_name: "Mine", description: "text", tags: '{"a":"b"}' };
    const { body: pipeline } = await upload(world, "upload", { query });
    expect(pipeline).toEqual({
      pipeline_id: expect.any(String),
      name: "mine",
      display_name: "Mine",
      description: "text",
      created_at: expect.stringMatching(/Z$/),
      tags: { a: "b" },
    });
    const answer = await world.call("GET", `${PIPELINES}/${pipeline.pipeline_id}/versions`);
    expect(answer.body.pipeline_versions).toMatchObject([
      { name: "mine", display_name: "Mine", pipeline_spec: specOf("hello") },
    ]);
  });

  test("is named by the display name, or the file, when nothing else is said", async () => {
    await using world = openApiWorld();
    const shown = await upload(world, "upload", { query: { name: "", display_name: "Shown" } });
    expect(shown.body).toMatchObject({ name: "Shown", display_name: "Shown" });
    const bare = await upload(world, "upload", { fileName: "file.yaml" });
    expect(bare.body).toMatchObject({ name: "file.yaml", display_name: "file.yaml" });
  });

  test("a taken name is 409 and leaves nothing behind", async () => {
    await using world = openApiWorld();
    await upload(world, "upload", { query: { name: "mine" } });
    const again = await upload(world, "upload", { query: { name: "mine" } });
    expect(again.status).toBe(409);
    expect(again.body).toEqual({
      error_message: expect.stringContaining("mine"),
      error_details: expect.stringContaining("mine"),
    });
    expect((await world.call("GET", PIPELINES)).body.total_size).toBe(1);
  });

  test("versions of one pipeline have names of their own; the latest is the one inserted last", async () => {
    await using world = openApiWorld();
    const { pipeline_id } = (await upload(world, "upload", { query: { name: "p" } })).body;
    const query = (name: string) => ({ query: { name, pipelineid: pipeline_id } });
    for (const name of ["v2", "v3"]) await upload(world, "upload_version", query(name));
    expect((await upload(world, "upload_version", query("v2"))).status).toBe(409);
    const latest = await versionsOf(world, pipeline_id, "page_size=1&sort_by=created_at+desc");
    expect(latest).toEqual(["v3"]);
    const run = await world.call("POST", RUNS, {
      display_name: "latest",
      pipeline_version_reference: { pipeline_id },
    });
    const { pipeline_version_id } = run.body.pipeline_version_reference;
    const version = await world.call("GET", `${PIPELINES}/x/versions/${pipeline_version_id}`);
    expect(version.body.name).toBe("v3");
    expect(run.body.pipeline_spec).toBeUndefined();
  });

  test("refuses a version without or with an unknown pipeline", async () => {
    await using world = openApiWorld();
    expect((await upload(world, "upload_version", { query: { name: "v" } })).status).toBe(400);
    const unknown = await upload(world, "upload_version", { query: { pipelineid: "nothing" } });
    expect(unknown.status).toBe(404);
  });

  test.each([
    ["a long name", { query: { name: "x".repeat(129) } }],
    ["a long tag value", { query: { name: "p", tags: JSON.stringify({ a: "x".repeat(64) }) } }],
    ["a long tag key", { query: { name: "p", tags: JSON.stringify({ ["x".repeat(64)]: "a" }) } }],
    ["a dot in a tag key", { query: { name: "p", tags: '{"a.b":"c"}' } }],
    [
      "many tags",
      {
        query: {
          name: "p",
          tags: JSON.stringify(
            Object.fromEntries(Array.from({ length: 21 }, (_each, n) => [`k${n}`, "v"])),
          ),
        },
      },
    ],
    ["tags that are no JSON", { query: { name: "p", tags: "{" } }],
    ["tags that are no texts", { query: { name: "p", tags: '{"a":1}' } }],
    ["an empty file", { content: "" }],
    ["no specification", { content: "a: 1" }],
    ["another format", { fileName: "p.png" }],
  ])("refuses %s with 400", async (_what, what: Uploaded) => {
    await using world = openApiWorld();
    const answer = await upload(world, "upload", what);
    expect(answer.status).toBe(400);
    expect(Object.keys(answer.body)).toEqual(["error_message", "error_details"]);
    expect((await world.call("GET", PIPELINES)).body).toEqual({});
  });

  test("a name at the limit is taken, counted in characters", async () => {
    await using world = openApiWorld();
    const name = "😀".repeat(128);
    expect((await upload(world, "upload", { query: { name } })).body.name).toBe(name);
  });

  test.each([
    "empty_file.yaml",
    "empty_zip.zip",
    "invalid-zip.zip",
    "invalid_yaml.yaml",
    "no_name.yaml",
    "wrong_format.png",
  ])("refuses the invalid sample %s", async (fileName) => {
    const path = `../../../../conformance/kfp-samples/invalid/${fileName}`;
    const content = readFileSync(fileURLToPath(new URL(path, import.meta.url)));
    await using world = openApiWorld();
    const answer = await upload(world, "upload", { fileName, content, query: { name: "p" } });
    expect(answer.status).toBe(400);
  });

  test("refuses a request that is no form, or has no file", async () => {
    await using world = openApiWorld();
    expect((await world.call("POST", `${PIPELINES}/upload?name=a`, "{}")).status).toBe(400);
    const form = new FormData();
    form.set("uploadfile", "only text");
    expect((await world.call("POST", `${PIPELINES}/upload?name=a`, form)).status).toBe(400);
  });

  test("refuses a body over the limit by what it promises", async () => {
    await using world = openApiWorld();
    const headers = { "content-length": String(64 * 1024 * 1024) };
    const answer = await world.call("POST", `${PIPELINES}/upload`, "x", headers);
    expect(answer.status).toBe(413);
  });
});

describe("pipelines by JSON", () => {
  test("a pipeline alone has no version and cannot be run", async () => {
    await using world = openApiWorld();
    const created = await world.call("POST", PIPELINES, {
      displayName: "bare",
      namespace: "kubeflow",
    });
    expect(created.body).toMatchObject({ name: "bare", display_name: "bare" });
    expect(created.body.namespace).toBeUndefined();
    expect(await versionsOf(world, created.body.pipeline_id)).toEqual([]);
    const run = await world.call("POST", RUNS, {
      display_name: "x",
      pipeline_version_reference: { pipeline_id: created.body.pipeline_id },
    });
    expect([run.status, run.body.code]).toEqual([400, 9]);
  });

  test("a version comes with its specification, or from a bucket", async () => {
    await using world = openApiWorld();
    await world.objects.createBucket("packages");
    const body = new TextEncoder().encode(JSON.stringify(specOf("stored")));
    await world.objects.putObject({ bucket: "packages", key: "a/p.yaml", body });
    const created = await world.call("POST", `${PIPELINES}/create`, {
      pipeline: { name: "both" },
      pipeline_version: { package_url: { pipeline_url: "s3://packages/a/p.yaml" } },
    });
    expect(created.body.name).toBe("both");
    const id: string = created.body.pipeline_id;
    const inline = await world.call("POST", `${PIPELINES}/${id}/versions`, {
      name: "inline",
      pipeline_spec: specOf("inline"),
      code_source_url: "https://example.com/code",
    });
    expect(inline.body).toMatchObject({ code_source_url: "https://example.com/code" });
    expect(await versionsOf(world, id)).toEqual(["both", "inline"]);
  });

  test.each([
    ["http://169.254.169.254/latest", 400],
    ["file:///etc/passwd", 400],
    ["", 400],
    ["s3://packages/nothing.yaml", 404],
  ])("a package at %j is refused", async (pipeline_url, status) => {
    await using world = openApiWorld();
    await world.objects.createBucket("packages");
    const created = await world.call("POST", `${PIPELINES}/create`, {
      pipeline: { name: "p" },
      pipeline_version: { package_url: { pipeline_url } },
    });
    expect(created.status).toBe(status);
    expect((await world.call("GET", PIPELINES)).body).toEqual({});
  });

  test("a package that the caller may not read is refused", async () => {
    await using world = openApiWorld();
    world.isAllowed = (request) => request.action !== "s3:GetObject";
    const created = await world.call("POST", `${PIPELINES}/create`, {
      pipeline: { name: "p" },
      pipeline_version: { package_url: { pipeline_url: "s3://packages/p.yaml" } },
    });
    expect([created.status, created.body.code]).toEqual([403, 7]);
  });

  test("a pipeline is found by its name, slashes and spaces included", async () => {
    await using world = openApiWorld();
    await world.call("POST", PIPELINES, { name: "a b/c" });
    const found = await world.call("GET", `${PIPELINES}/names/a%20b%2Fc?namespace=`);
    expect(found.body.name).toBe("a b/c");
    expect((await world.call("GET", `${PIPELINES}/names/other`)).status).toBe(404);
  });

  test("PATCH changes display name and tags alone; clearing tags takes a header", async () => {
    await using world = openApiWorld();
    const { pipeline_id } = (
      await world.call("POST", PIPELINES, { name: "p", description: "d", tags: { a: "1" } })
    ).body;
    const patch = (body: unknown, headers = {}) =>
      world.call("PATCH", `${PIPELINES}/${pipeline_id}`, body, headers);
    expect(
      (await patch({ name: "other", display_name: "P", description: "x" })).body,
    ).toMatchObject({ name: "p", display_name: "P", description: "d", tags: { a: "1" } });
    expect((await patch({ tags: { b: "2" } })).body).toMatchObject({ tags: { b: "2" } });
    expect((await patch({ tags: {} })).body.tags).toEqual({ b: "2" });
    expect((await patch({ tags: {} }, { "x-clear-tags": "true" })).body.tags).toBeUndefined();
    expect((await patch({ display_name: "x".repeat(129) })).status).toBe(400);
    expect((await world.call("PATCH", `${PIPELINES}/nothing`, {})).status).toBe(404);
  });

  test("a pipeline with versions is deleted only with cascade, spelled as Python does", async () => {
    await using world = openApiWorld();
    const { pipeline_id } = (await upload(world, "upload")).body;
    const path = `${PIPELINES}/${pipeline_id}`;
    expect((await world.call("DELETE", path)).status).toBe(400);
    expect((await world.call("DELETE", `${path}?cascade=False`)).status).toBe(400);
    expect((await world.call("DELETE", `${path}?cascade=maybe`)).status).toBe(400);
    expect((await world.call("DELETE", `${path}?cascade=True`)).body).toEqual({});
    expect((await world.call("DELETE", path)).status).toBe(404);
    expect((await world.call("GET", `${path}/versions`)).status).toBe(404);
  });

  test("a version of another pipeline is refused for a run", async () => {
    await using world = openApiWorld();
    const first = (await upload(world, "upload", { query: { name: "a" } })).body;
    const second = (await upload(world, "upload", { query: { name: "b" } })).body;
    const [version] = (await world.call("GET", `${PIPELINES}/${first.pipeline_id}/versions`)).body
      .pipeline_versions;
    const run = (pipeline_id: string, pipeline_version_id: string) =>
      world.call("POST", RUNS, {
        display_name: "x",
        pipeline_version_reference: { pipeline_id, pipeline_version_id },
      });
    expect((await run(second.pipeline_id, version.pipeline_version_id)).status).toBe(400);
    expect((await run(first.pipeline_id, version.pipeline_version_id)).status).toBe(200);
    expect((await run(first.pipeline_id, "nothing")).status).toBe(404);
    expect((await run("nothing", "")).status).toBe(404);
  });
});

describe("experiments", () => {
  test("the default one is there from the start and stays", async () => {
    await using world = openApiWorld();
    const [experiment] = (await world.call("GET", EXPERIMENTS)).body.experiments;
    expect(experiment).toEqual({
      experiment_id: expect.any(String),
      display_name: "Default",
      created_at: expect.any(String),
      storage_state: "AVAILABLE",
      last_run_created_at: "1970-01-01T00:00:00Z",
    });
    const deleted = await world.call("DELETE", `${EXPERIMENTS}/${experiment.experiment_id}`);
    expect([deleted.status, deleted.body.code]).toEqual([400, 9]);
  });

  test("names are taken once", async () => {
    await using world = openApiWorld();
    await world.call("POST", EXPERIMENTS, { display_name: "e", namespace: "" });
    const again = await world.call("POST", EXPERIMENTS, {
      display_name: "e",
      namespace: "kubeflow",
    });
    expect([again.status, again.body.code]).toEqual([409, 6]);
  });

  test.each([[""], ["x".repeat(129)]])("refuses the name %j", async (display_name) => {
    await using world = openApiWorld();
    expect((await world.call("POST", EXPERIMENTS, { display_name })).status).toBe(400);
  });

  test("deleting one leaves its runs", async () => {
    await using world = openApiWorld();
    const { experiment_id } = (await world.call("POST", EXPERIMENTS, { display_name: "e" })).body;
    const run = await world.call("POST", RUNS, {
      display_name: "r",
      experiment_id,
      pipeline_spec: specOf("a"),
    });
    expect((await world.call("DELETE", `${EXPERIMENTS}/${experiment_id}`)).body).toEqual({});
    expect((await world.call("GET", `${EXPERIMENTS}/${experiment_id}`)).status).toBe(404);
    expect((await world.call("GET", `${RUNS}/${run.body.run_id}`)).status).toBe(200);
  });

  test("filtering by storage state tells archived ones apart", async () => {
    await using world = openApiWorld();
    const { experiment_id } = (await world.call("POST", EXPERIMENTS, { display_name: "e" })).body;
    await world.call("POST", `${EXPERIMENTS}/${experiment_id}:archive`);
    const filter = (operation: string) =>
      encodeURIComponent(
        JSON.stringify({
          predicates: [{ operation, key: "storage_state", string_value: "ARCHIVED" }],
        }),
      );
    const names = async (operation: string) => {
      const answer = await world.call("GET", `${EXPERIMENTS}?filter=${filter(operation)}`);
      return answer.body.experiments.map((each: { display_name: string }) => each.display_name);
    };
    expect([await names("EQUALS"), await names("NOT_EQUALS")]).toEqual([["e"], ["Default"]]);
  });

  test.each(["archive", "unarchive", "fly"])("%s of an unknown one is 404", async (verb) => {
    await using world = openApiWorld();
    expect((await world.call("POST", `${EXPERIMENTS}/nothing:${verb}`)).status).toBe(404);
  });
});
