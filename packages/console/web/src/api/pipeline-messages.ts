import type { RunState } from "@kelp/wire/management";

/** Messages of the pipelines API `v2beta1`, as far as the app reads them. Unpopulated fields are absent. */

export interface PipelineMessage {
  readonly pipeline_id: string;
  readonly display_name?: string;
  readonly name?: string;
  readonly description?: string;
  readonly created_at?: string;
}

export interface PipelineVersionMessage {
  readonly pipeline_id: string;
  readonly pipeline_version_id: string;
  readonly display_name?: string;
  readonly name?: string;
  readonly description?: string;
  readonly created_at?: string;
  readonly code_source_url?: string;
  readonly pipeline_spec?: unknown;
}

export interface ExperimentMessage {
  readonly experiment_id: string;
  readonly display_name?: string;
  readonly description?: string;
  readonly created_at?: string;
  readonly last_run_created_at?: string;
  readonly storage_state?: StorageState;
}

export type StorageState = "AVAILABLE" | "ARCHIVED";

export interface RunMessage {
  readonly run_id: string;
  readonly experiment_id?: string;
  readonly display_name?: string;
  readonly description?: string;
  readonly storage_state?: StorageState;
  readonly state?: RunState;
  readonly created_at?: string;
  readonly scheduled_at?: string;
  readonly finished_at?: string;
  readonly service_account?: string;
  readonly error?: { readonly message?: string };
  readonly pipeline_spec?: unknown;
  readonly pipeline_version_reference?: {
    readonly pipeline_id?: string;
    readonly pipeline_version_id?: string;
  };
  readonly runtime_config?: {
    readonly parameters?: Readonly<Record<string, unknown>>;
    readonly pipeline_root?: string;
  };
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextToken: string | undefined;
  readonly totalSize: number;
}
