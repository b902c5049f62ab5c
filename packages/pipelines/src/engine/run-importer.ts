import { must } from "@kelp/base";
import type { Lineage } from "@kelp/lineage";
import type { ObjectStore } from "@kelp/wire";
import { TaskError } from "../errors.ts";
import type { Executor } from "../executor/executor.ts";
import { type JobValues, renderText } from "../run/placeholders.ts";
import type { TaskArtifact } from "../run/run.ts";
import { type JsonObject, type JsonValue, isJsonArray, isJsonObject } from "../spec/json.ts";
import type { ImporterSpec } from "../spec/model.ts";
import type { TaskNode } from "./task-node.ts";
import type { TaskResult } from "./run-walk.ts";
import { WORKSPACE_MARK } from "../executor/workspace-mark.ts";

export interface ImporterDeps {
  readonly lineage: Lineage;
  readonly objects: ObjectStore;
  readonly executor: Executor;
  readonly nowMs: () => number;
}

/** Records an artifact for a URI, or takes the one that is known already. @throws TaskError */
export async function runImporter(
  deps: ImporterDeps,
  node: TaskNode,
  spec: ImporterSpec,
  job: JobValues,
  signal: AbortSignal,
): Promise<TaskResult> {
  const { runId, inputs } = node.row;
  const uri = importedUri(spec, inputs.parameters);
  const scope = {
    executorInput: {
      inputs: { parameterValues: inputs.parameters, artifacts: {} },
      outputs: { parameters: {}, artifacts: {}, outputFile: "" },
    },
    job,
    pathOf: (text: string) => text,
  };
  const written = renderValues(spec.metadata, (text) => renderText(text, scope));
  const metadata: JsonObject = {
    ...(isJsonObject(written) ? written : {}),
    ...(spec.isWorkspaceDownload ? { [WORKSPACE_MARK]: true } : {}),
  };
  if (spec.isWorkspaceDownload) await deps.executor.downloadToWorkspace(runId, uri, signal);
  const output = must([...node.component.outputs.artifacts.keys()][0] ?? "artifact");
  const found = spec.isReimport
    ? undefined
    : deps.lineage.findArtifact({ uri, type: spec.type, metadata });
  const artifactId =
    found?.artifactId ??
    deps.lineage.recordArtifact({
      name: output,
      type: spec.type,
      uri,
      metadata,
      createdMs: deps.nowMs(),
      runId,
    });
  const artifact: TaskArtifact = { artifactId, name: output, type: spec.type, uri, metadata };
  return { kind: "succeeded", outputs: { parameters: {}, artifacts: { [output]: [artifact] } } };
}

function importedUri(spec: ImporterSpec, parameters: JsonObject): string {
  if (spec.uri.kind === "constant") return spec.uri.uri;
  const value = parameters[spec.uri.input];
  if (typeof value === "string" && value !== "") return value;
  throw new TaskError(`The importer's URI comes from input ${spec.uri.input}, which has no value`);
}

function renderValues(value: JsonValue, render: (text: string) => string): JsonValue {
  if (typeof value === "string") return render(value);
  if (isJsonArray(value)) return value.map((item) => renderValues(item, render));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [render(name), renderValues(item, render)]),
  );
}
