import type { z } from "zod";
import type { ExperimentRow, PipelineRow, PipelineVersionRow } from "../../catalog/index.ts";
import type { Page } from "../query/list.ts";
import { ignored, populated, snakeMessage, struct, text, textMap } from "./proto.ts";
import { formatTimestamp } from "./timestamp.ts";

/** Pipelines, versions and experiments in JSON, both ways. */

export const PIPELINE = snakeMessage("Pipeline", {
  pipeline_id: ignored,
  display_name: text,
  description: text,
  created_at: ignored,
  namespace: text,
  error: ignored,
  name: text,
  tags: textMap.optional(),
});

export const PIPELINE_VERSION = snakeMessage("PipelineVersion", {
  pipeline_id: ignored,
  pipeline_version_id: ignored,
  display_name: text,
  description: text,
  created_at: ignored,
  package_url: snakeMessage("Url", { pipeline_url: text }).optional(),
  pipeline_spec: struct.optional(),
  error: ignored,
  code_source_url: text,
  name: text,
  tags: textMap.optional(),
});
export type PipelineVersionInput = z.output<typeof PIPELINE_VERSION>;

export const PIPELINE_AND_VERSION = snakeMessage("CreatePipelineAndVersionRequest", {
  pipeline: PIPELINE,
  pipeline_version: PIPELINE_VERSION,
});

export const EXPERIMENT = snakeMessage("Experiment", {
  experiment_id: ignored,
  display_name: text,
  description: text,
  created_at: ignored,
  namespace: text,
  storage_state: ignored,
  last_run_created_at: ignored,
});

export function pipelineMessage(row: PipelineRow): Record<string, unknown> {
  return populated({
    pipeline_id: row.pipeline_id,
    display_name: row.display_name,
    name: row.name,
    description: row.description,
    created_at: formatTimestamp(row.created_ms),
    namespace: row.namespace,
    tags: JSON.parse(row.tags_json),
  });
}

export function pipelineVersionMessage(row: PipelineVersionRow): Record<string, unknown> {
  return populated({
    pipeline_id: row.pipeline_id,
    pipeline_version_id: row.pipeline_version_id,
    display_name: row.display_name,
    name: row.name,
    description: row.description,
    created_at: formatTimestamp(row.created_ms),
    package_url: row.package_url === "" ? undefined : { pipeline_url: row.package_url },
    code_source_url: row.code_source_url,
    tags: JSON.parse(row.tags_json),
    pipeline_spec: JSON.parse(row.spec_json),
  });
}

export function experimentMessage(row: ExperimentRow): Record<string, unknown> {
  return {
    ...populated({
      experiment_id: row.experiment_id,
      display_name: row.display_name,
      description: row.description,
      created_at: formatTimestamp(row.created_ms),
      namespace: row.namespace,
      storage_state: row.storage_state,
    }),
    last_run_created_at: formatTimestamp(row.last_run_created_ms),
  };
}

/** A page of a list; `key` is the list's name in this answer. */
export function pageMessage<Row>(
  key: string,
  page: Page<Row>,
  toMessage: (row: Row) => unknown,
): Record<string, unknown> {
  return populated({
    [key]: page.rows.map(toMessage),
    total_size: page.totalSize === 0 ? undefined : page.totalSize,
    next_page_token: page.nextPageToken,
  });
}
