import type { JsonObject, JsonValue } from "./json.ts";

/**
 * The compiled specification (`schemaVersion` 2.1.0) as the engine reads it: checked, references resolved to exist,
 * defaults filled in. One type per message of the document; names follow the document.
 */
export interface PipelineSpec {
  readonly name: string;
  readonly displayName: string | undefined;
  readonly description: string | undefined;
  readonly defaultPipelineRoot: string | undefined;
  readonly root: Component;
  readonly components: ReadonlyMap<string, Component>;
  readonly executors: ReadonlyMap<string, ExecutorSpec>;
  readonly platform: PlatformSpec;
}

export interface Component {
  /** Key under `components`; `root` for the root. */
  readonly name: string;
  readonly inputs: ComponentInputs;
  readonly outputs: ComponentOutputs;
  readonly body:
    | { readonly kind: "dag"; readonly dag: Dag }
    | { readonly kind: "executor"; readonly label: string };
}

export interface ComponentInputs {
  readonly parameters: ReadonlyMap<string, InputParameter>;
  readonly artifacts: ReadonlyMap<string, InputArtifact>;
}

export interface ComponentOutputs {
  readonly parameters: ReadonlyMap<string, { readonly type: ParameterType }>;
  readonly artifacts: ReadonlyMap<string, OutputArtifact>;
}

export const PARAMETER_TYPES = [
  "NUMBER_DOUBLE",
  "NUMBER_INTEGER",
  "STRING",
  "BOOLEAN",
  "LIST",
  "STRUCT",
  "TASK_FINAL_STATUS",
  "TASK_CONFIG",
] as const;
export type ParameterType = (typeof PARAMETER_TYPES)[number];

export interface InputParameter {
  readonly type: ParameterType;
  readonly isOptional: boolean;
  readonly defaultValue: JsonValue | undefined;
  /** Empty when every value of the type is allowed. */
  readonly literals: readonly JsonValue[];
}

export interface InputArtifact {
  /** Schema title, such as `system.Model`. */
  readonly type: string;
  readonly isList: boolean;
  readonly isOptional: boolean;
}

export interface OutputArtifact {
  readonly type: string;
  readonly isList: boolean;
  readonly metadata: JsonObject;
}

export interface Dag {
  readonly tasks: ReadonlyMap<string, TaskSpec>;
  readonly outputs: DagOutputs;
  /** Task to the tasks that wait for it. */
  readonly dependents: ReadonlyMap<string, readonly string[]>;
}

export interface DagOutputs {
  readonly parameters: ReadonlyMap<string, DagOutputParameter>;
  /** Producers in order of preference. */
  readonly artifacts: ReadonlyMap<string, readonly OutputSelector[]>;
}

export type DagOutputParameter =
  | { readonly kind: "one"; readonly selector: OutputSelector }
  /** The first producer that ran. */
  | { readonly kind: "first-of"; readonly selectors: readonly OutputSelector[] };

export interface OutputSelector {
  readonly task: string;
  readonly output: string;
}

export interface TaskSpec {
  readonly name: string;
  readonly displayName: string;
  readonly component: string;
  readonly parameters: ReadonlyMap<string, ParameterSource>;
  readonly artifacts: ReadonlyMap<string, ArtifactSource>;
  /** Every sibling that must have ended first: named ones and those whose outputs are read. */
  readonly dependsOn: readonly string[];
  readonly isCacheEnabled: boolean;
  readonly cacheKey: string | undefined;
  /** CEL over the inputs. */
  readonly condition: string | undefined;
  readonly trigger: "upstream-succeeded" | "upstream-completed";
  readonly iterator: TaskIterator | undefined;
  /** 0 is no limit. */
  readonly parallelismLimit: number;
  readonly retry: RetryPlan | undefined;
}

export interface ParameterSource {
  readonly value:
    | { readonly kind: "task-output"; readonly task: string; readonly output: string }
    | { readonly kind: "constant"; readonly value: JsonValue }
    | { readonly kind: "component-input"; readonly input: string }
    | { readonly kind: "final-status"; readonly task: string };
  /** CEL over `string_value`. */
  readonly selector: string | undefined;
}

export type ArtifactSource =
  | { readonly kind: "task-output"; readonly task: string; readonly output: string }
  | { readonly kind: "component-input"; readonly input: string };

export type TaskIterator =
  | { readonly kind: "raw"; readonly items: readonly JsonValue[]; readonly itemInput: string }
  | { readonly kind: "parameter"; readonly input: string; readonly itemInput: string }
  | { readonly kind: "artifact"; readonly input: string; readonly itemInput: string };

/** Delay before attempt n+1 is `backoffMs × backoffFactorⁿ`, at most `backoffMsMax`. */
export interface RetryPlan {
  readonly attemptsMax: number;
  readonly backoffMs: number;
  readonly backoffFactor: number;
  readonly backoffMsMax: number;
}

export type ExecutorSpec = ContainerSpec | ImporterSpec;

export interface ContainerSpec {
  readonly kind: "container";
  readonly image: string;
  readonly command: readonly string[];
  readonly arguments: readonly string[];
  readonly environment: readonly EnvironmentVariable[];
  /** As written: limits and requests are for executors that can honour them. */
  readonly resources: JsonObject | undefined;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
}

export interface ImporterSpec {
  readonly kind: "importer";
  readonly uri:
    | { readonly kind: "constant"; readonly uri: string }
    | { readonly kind: "parameter"; readonly input: string };
  readonly type: string;
  readonly metadata: JsonObject;
  readonly isReimport: boolean;
  readonly isWorkspaceDownload: boolean;
}

export interface PlatformSpec {
  /** Executor label to its settings on Kubernetes, as written. */
  readonly executors: ReadonlyMap<string, JsonObject>;
  readonly hasWorkspace: boolean;
  /** For the whole run; 0 is none. */
  readonly runTimeoutMs: number;
}
