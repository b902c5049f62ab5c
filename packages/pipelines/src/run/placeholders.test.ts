import { expect, test } from "bun:test";
import { type RenderScope, renderArguments } from "./placeholders.ts";

const artifact = {
  name: "data",
  type: { schemaTitle: "system.Dataset", schemaVersion: "0.0.1" },
  uri: "s3://b/data",
  metadata: { rows: 3 },
};
const scope: RenderScope = {
  executorInput: {
    inputs: {
      parameterValues: {
        text: 'a "quoted" {{$.pipeline_root}}',
        list: [1, "b"],
        number: 1.5,
        no: null,
      },
      artifacts: { data: { artifacts: [artifact] } },
    },
    outputs: {
      parameters: { out: { outputFile: "/o/out" } },
      artifacts: {},
      outputFile: "/o/report.json",
    },
  },
  job: {
    pipeline_job_name: "job",
    pipeline_job_resource_name: "p-1",
    pipeline_job_uuid: "1",
    pipeline_task_name: "step",
    pipeline_task_uuid: "2",
    pipeline_root: "s3://root",
    pipeline_job_create_time_utc: "2026-01-01T00:00:00Z",
    pipeline_job_schedule_time_utc: "2026-01-01T00:00:00Z",
    workspace_path: "/w",
  },
  pathOf: (uri) => uri.replace("s3://", "/s3/"),
};
const render = (...elements: readonly string[]): readonly string[] =>
  renderArguments(elements, scope);

test("values are rendered once: text inside a value is left alone", () => {
  expect(render("{{$.inputs.parameters['text']}}")).toEqual(['a "quoted" {{$.pipeline_root}}']);
});

test("the whole input stays valid JSON whatever its values hold", () => {
  const [text] = render("{{$}}");
  expect(JSON.parse(text ?? "")).toEqual(scope.executorInput);
});

test("lists print as JSON, numbers shortest, names may be quoted either way", () => {
  expect(render("{{$.inputs.parameters['list']}} {{$.inputs.parameters[\"number\"]}}")).toEqual([
    '[1,"b"] 1.5',
  ]);
});

test("artifacts give uri, path and metadata", () => {
  const at = "$.inputs.artifacts['data']";
  expect(render(`{{${at}.uri}}`, `{{${at}.path}}`, `{{${at}.metadata['rows']}}`)).toEqual([
    "s3://b/data",
    "/s3/b/data",
    "3",
  ]);
});

test("an element that is only an absent input is left out; inside text it is empty", () => {
  expect(render("{{$.inputs.parameters['no']}}", "x{{$.inputs.parameters['no']}}")).toEqual(["x"]);
});

test("concat joins its parts, conditions inside it included", () => {
  const inner = { IfPresent: { InputName: "no", Then: "yes", Else: "no" } };
  const concat = { Concat: ["--n=", "{{$.inputs.parameters['number']}}", inner] };
  expect(render(JSON.stringify(concat))).toEqual(["--n=1.5no"]);
});

test("a condition may give several elements, none, and looks at artifacts too", () => {
  const when = (InputName: string): string =>
    JSON.stringify({ IfPresent: { InputName, Then: ["--has", InputName] } });
  expect(render(when("data"), when("text"), when("no"), when("unknown"))).toEqual([
    "--has",
    "data",
    "--has",
    "text",
  ]);
});

test("an unknown placeholder stays, an unknown output is refused", () => {
  expect(render("{{$.something.else}} {{ jinja }}")).toEqual(["{{$.something.else}} {{ jinja }}"]);
  expect(() => render("{{$.outputs.parameters['zzz'].output_file}}")).toThrow("output zzz");
});
