import { Fields, type JsonValue, invalid, parseJson } from "./json.ts";
import type {
  ArtifactSource,
  Dag,
  DagOutputParameter,
  DagOutputs,
  OutputSelector,
  ParameterSource,
  RetryPlan,
  TaskIterator,
  TaskSpec,
} from "./model.ts";

const TASK_FIELDS = [
  "taskInfo",
  "inputs",
  "dependentTasks",
  "cachingOptions",
  "componentRef",
  "triggerPolicy",
  "artifactIterator",
  "parameterIterator",
  "retryPolicy",
  "iteratorPolicy",
  "taskConfigPassthroughs",
];

export function parseDag(fields: Fields): Dag {
  fields.allowOnly(["tasks", "outputs"]);
  const tasks = fields.map("tasks", parseTask);
  const dependents = new Map<string, string[]>();
  for (const task of tasks.values()) {
    for (const upstream of task.dependsOn) {
      const waiting = dependents.get(upstream) ?? [];
      waiting.push(task.name);
      dependents.set(upstream, waiting);
    }
  }
  return { tasks, outputs: parseDagOutputs(fields.object("outputs")), dependents };
}

function parseDagOutputs(fields: Fields | undefined): DagOutputs {
  if (fields === undefined) return { parameters: new Map(), artifacts: new Map() };
  return {
    parameters: fields.map("parameters", parseOutputParameter),
    artifacts: fields.map("artifacts", (artifact) =>
      artifact.list("artifactSelectors", (value, path) => {
        const selector = new Fields(value, path);
        return {
          task: selector.requiredString("producerSubtask"),
          output: selector.requiredString("outputArtifactKey"),
        };
      }),
    ),
  };
}

function parseOutputParameter(fields: Fields): DagOutputParameter {
  const single = fields.object("valueFromParameter");
  if (single !== undefined) return { kind: "one", selector: parseParameterSelector(single) };
  const several = fields.requiredObject("valueFromOneof");
  return {
    kind: "first-of",
    selectors: several.list("parameterSelectors", (value, path) =>
      parseParameterSelector(new Fields(value, path)),
    ),
  };
}

function parseParameterSelector(fields: Fields): OutputSelector {
  return {
    task: fields.requiredString("producerSubtask"),
    output: fields.requiredString("outputParameterKey"),
  };
}

function parseTask(fields: Fields, name: string): TaskSpec {
  fields.allowOnly(TASK_FIELDS);
  const inputs = fields.object("inputs");
  const parameters = inputs?.map("parameters", parseParameterSource) ?? new Map();
  const artifacts = inputs?.map("artifacts", parseArtifactSource) ?? new Map();
  const caching = fields.object("cachingOptions");
  const trigger = fields.object("triggerPolicy");
  const strategy = trigger?.choice("strategy", [
    "TRIGGER_STRATEGY_UNSPECIFIED",
    "ALL_UPSTREAM_TASKS_SUCCEEDED",
    "ALL_UPSTREAM_TASKS_COMPLETED",
  ]);
  const condition = trigger?.string("condition");
  return {
    name,
    displayName: fields.object("taskInfo")?.string("name") ?? name,
    component: fields.requiredObject("componentRef").requiredString("name"),
    parameters,
    artifacts,
    dependsOn: upstreamOf(fields.strings("dependentTasks"), parameters, artifacts),
    isCacheEnabled: caching?.boolean("enableCache") ?? false,
    cacheKey: caching?.string("cacheKey"),
    condition: condition === "" ? undefined : condition,
    trigger:
      strategy === "ALL_UPSTREAM_TASKS_COMPLETED" ? "upstream-completed" : "upstream-succeeded",
    iterator: parseIterator(fields),
    parallelismLimit: fields.object("iteratorPolicy")?.count("parallelismLimit") ?? 0,
    retry: parseRetry(fields.object("retryPolicy")),
  };
}

function upstreamOf(
  named: readonly string[],
  parameters: ReadonlyMap<string, ParameterSource>,
  artifacts: ReadonlyMap<string, ArtifactSource>,
): readonly string[] {
  const upstream = new Set(named);
  for (const { value } of parameters.values()) {
    if (value.kind === "task-output" || value.kind === "final-status") upstream.add(value.task);
  }
  for (const source of artifacts.values()) {
    if (source.kind === "task-output") upstream.add(source.task);
  }
  return [...upstream];
}

function parseParameterSource(fields: Fields): ParameterSource {
  return {
    value: parseParameterValue(fields),
    selector: fields.string("parameterExpressionSelector"),
  };
}

function parseParameterValue(fields: Fields): ParameterSource["value"] {
  const output = fields.object("taskOutputParameter");
  if (output !== undefined) {
    return {
      kind: "task-output",
      task: output.requiredString("producerTask"),
      output: output.requiredString("outputParameterKey"),
    };
  }
  const runtime = fields.object("runtimeValue");
  if (runtime !== undefined) return parseRuntimeValue(runtime);
  const input = fields.string("componentInputParameter");
  if (input !== undefined) return { kind: "component-input", input };
  const status = fields.object("taskFinalStatus");
  if (status !== undefined) {
    return { kind: "final-status", task: status.requiredString("producerTask") };
  }
  throw invalid(fields.path, "says nothing about where its value comes from");
}

function parseRuntimeValue(fields: Fields): ParameterSource["value"] {
  const parameter = fields.string("runtimeParameter");
  if (parameter !== undefined) return { kind: "component-input", input: parameter };
  const constant = fields.json("constant");
  if (constant !== undefined) return { kind: "constant", value: constant };
  const old = fields.object("constantValue");
  const value: JsonValue | undefined =
    old?.string("stringValue") ?? old?.number("doubleValue") ?? old?.count("intValue");
  return { kind: "constant", value: value ?? null };
}

function parseArtifactSource(fields: Fields): ArtifactSource {
  const output = fields.object("taskOutputArtifact");
  if (output !== undefined) {
    return {
      kind: "task-output",
      task: output.requiredString("producerTask"),
      output: output.requiredString("outputArtifactKey"),
    };
  }
  return { kind: "component-input", input: fields.requiredString("componentInputArtifact") };
}

function parseIterator(fields: Fields): TaskIterator | undefined {
  const artifact = fields.object("artifactIterator");
  if (artifact !== undefined) {
    return {
      kind: "artifact",
      input: artifact.requiredObject("items").requiredString("inputArtifact"),
      itemInput: artifact.requiredString("itemInput"),
    };
  }
  const parameter = fields.object("parameterIterator");
  if (parameter === undefined) return undefined;
  const items = parameter.requiredObject("items");
  const itemInput = parameter.requiredString("itemInput");
  const raw = items.string("raw");
  if (raw === undefined) {
    return { kind: "parameter", input: items.requiredString("inputParameter"), itemInput };
  }
  const parsed = parseJson(raw);
  if (!Array.isArray(parsed)) throw invalid(items.at("raw"), "is not a list in JSON");
  return { kind: "raw", items: parsed, itemInput };
}

function parseRetry(fields: Fields | undefined): RetryPlan | undefined {
  if (fields === undefined) return undefined;
  const retries = fields.count("maxRetryCount") ?? 0;
  const factor = fields.number("backoffFactor") ?? 2;
  return {
    attemptsMax: retries + 1,
    backoffMs: fields.durationMs("backoffDuration") ?? 0,
    backoffFactor: factor === 0 ? 2 : factor,
    backoffMsMax: fields.durationMs("backoffMaxDuration") ?? BACKOFF_MS_MAX,
  };
}

/** The documented default of `backoffMaxDuration`. */
const BACKOFF_MS_MAX = 3_600_000;
