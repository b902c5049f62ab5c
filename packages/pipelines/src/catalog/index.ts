import type { Clock, Random, SqlDatabase } from "@kelp/base";
import { type Experiments, openExperiments } from "./experiments.ts";
import { type PipelineVersions, openPipelineVersions } from "./pipeline-versions.ts";
import { type Pipelines, openPipelines } from "./pipelines.ts";
import { migrateCatalog } from "./schema.ts";

/** What users name and keep: pipelines, their versions, experiments. One file per noun. */
export interface Catalog {
  readonly pipelines: Pipelines;
  readonly versions: PipelineVersions;
  readonly experiments: Experiments;
}

/** Brings the tables up to date and makes the default experiment. The database stays the caller's. */
export function openCatalog(
  database: SqlDatabase,
  deps: { readonly clock: Clock; readonly random: Random },
): Catalog {
  migrateCatalog(database);
  const catalog = {
    pipelines: openPipelines(database, deps),
    versions: openPipelineVersions(database, deps),
    experiments: openExperiments(database, deps),
  };
  catalog.experiments.getDefault();
  return catalog;
}

export type { ExperimentRow, Experiments, NewExperiment } from "./experiments.ts";
export type {
  NewPipelineVersion,
  PipelineVersionRow,
  PipelineVersions,
} from "./pipeline-versions.ts";
export type { NewPipeline, PipelineRow, Pipelines } from "./pipelines.ts";
