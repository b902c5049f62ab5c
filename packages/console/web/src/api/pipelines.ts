import { requestJson, withQuery } from "./http.ts";
import type {
  ExperimentMessage,
  Page,
  PipelineMessage,
  PipelineVersionMessage,
  RunMessage,
} from "./pipeline-messages.ts";

const ROOT = "/apis/v2beta1";

export interface PageQuery {
  readonly pageSize: number;
  readonly pageToken?: string | undefined;
  /** `created_at desc` */
  readonly sortBy?: string | undefined;
  readonly predicates?: readonly Predicate[] | undefined;
}

export interface Predicate {
  readonly operation: "EQUALS" | "NOT_EQUALS" | "IS_SUBSTRING";
  readonly key: string;
  readonly string_value: string;
}

export function fetchRuns(
  query: PageQuery & { readonly experimentId?: string | undefined },
): Promise<Page<RunMessage>> {
  return fetchPage(`${ROOT}/runs`, "runs", query, { experiment_id: query.experimentId });
}

export function fetchRun(runId: string): Promise<RunMessage> {
  return requestJson(`${ROOT}/runs/${encodeURIComponent(runId)}`);
}

export interface NewRun {
  readonly display_name: string;
  readonly description?: string;
  readonly experiment_id?: string;
  readonly pipeline_spec?: unknown;
  readonly pipeline_version_reference?: RunMessage["pipeline_version_reference"];
  readonly runtime_config: {
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly pipeline_root?: string;
  };
}

export function createRun(run: NewRun): Promise<RunMessage> {
  return requestJson(`${ROOT}/runs`, { method: "POST", body: run });
}

export type RunAction = "archive" | "unarchive" | "terminate" | "retry";

export function actOnRun(runId: string, action: RunAction): Promise<unknown> {
  return requestJson(`${ROOT}/runs/${encodeURIComponent(runId)}:${action}`, { method: "POST" });
}

export function fetchPipelines(query: PageQuery): Promise<Page<PipelineMessage>> {
  return fetchPage(`${ROOT}/pipelines`, "pipelines", query, {});
}

export function fetchPipeline(pipelineId: string): Promise<PipelineMessage> {
  return requestJson(`${ROOT}/pipelines/${encodeURIComponent(pipelineId)}`);
}

export function deletePipeline(pipelineId: string): Promise<unknown> {
  return requestJson(`${ROOT}/pipelines/${encodeURIComponent(pipelineId)}?cascade=true`, {
    method: "DELETE",
  });
}

const versionsPath = (pipelineId: string): string =>
  `${ROOT}/pipelines/${encodeURIComponent(pipelineId)}/versions`;

export function fetchVersions(
  pipelineId: string,
  query: PageQuery,
): Promise<Page<PipelineVersionMessage>> {
  return fetchPage(versionsPath(pipelineId), "pipeline_versions", query, {});
}

export function fetchVersion(
  pipelineId: string,
  versionId: string,
): Promise<PipelineVersionMessage> {
  return requestJson(`${versionsPath(pipelineId)}/${encodeURIComponent(versionId)}`);
}

export function deleteVersion(pipelineId: string, versionId: string): Promise<unknown> {
  return requestJson(`${versionsPath(pipelineId)}/${encodeURIComponent(versionId)}`, {
    method: "DELETE",
  });
}

export function fetchExperiments(query: PageQuery): Promise<Page<ExperimentMessage>> {
  return fetchPage(`${ROOT}/experiments`, "experiments", query, {});
}

export function fetchExperiment(experimentId: string): Promise<ExperimentMessage> {
  return requestJson(`${ROOT}/experiments/${encodeURIComponent(experimentId)}`);
}

export function createExperiment(body: {
  readonly display_name: string;
  readonly description?: string;
}): Promise<ExperimentMessage> {
  return requestJson(`${ROOT}/experiments`, { method: "POST", body });
}

export function actOnExperiment(
  experimentId: string,
  action: "archive" | "unarchive",
): Promise<unknown> {
  return requestJson(`${ROOT}/experiments/${encodeURIComponent(experimentId)}:${action}`, {
    method: "POST",
  });
}

async function fetchPage<Item>(
  path: string,
  field: string,
  query: PageQuery,
  extra: Readonly<Record<string, string | undefined>>,
): Promise<Page<Item>> {
  const predicates = query.predicates ?? [];
  const answer = await requestJson<Readonly<Record<string, unknown>>>(
    withQuery(path, {
      ...extra,
      page_size: query.pageSize,
      page_token: query.pageToken,
      sort_by: query.sortBy,
      filter: predicates.length === 0 ? undefined : JSON.stringify({ predicates }),
    }),
  );
  return {
    // An empty list is an unpopulated field, which this API leaves out.
    items: (answer[field] ?? []) as readonly Item[],
    nextToken: (answer["next_page_token"] as string | undefined) || undefined,
    totalSize: Number(answer["total_size"] ?? 0),
  };
}
