import type { RunState } from "@kelp/wire/management";

/** Any JSON object. */
export type Metadata = Readonly<Record<string, unknown>>;

/** A typed piece of data with a URI. Never changes once recorded. */
export interface Artifact {
  readonly artifactId: number;
  readonly name: string;
  /** Schema title, such as `system.Model`. */
  readonly type: string;
  readonly uri: string;
  readonly metadata: Metadata;
  readonly createdMs: number;
  /** The run that made or imported it. */
  readonly runId: string;
}

export type NewArtifact = Omit<Artifact, "artifactId">;

/** The record of one task having run. */
export interface Execution {
  readonly taskId: string;
  readonly runId: string;
  readonly runName: string;
  readonly taskName: string;
  readonly state: RunState;
}

/** One use of an artifact by a task. */
export interface ArtifactUse extends Execution {
  readonly direction: "produced" | "consumed";
  /** Name of the task's input or output. */
  readonly name: string;
  readonly atMs: number;
}

export interface NewUse {
  readonly artifactId: number;
  readonly taskId: string;
  readonly direction: "produced" | "consumed";
  readonly name: string;
  readonly atMs: number;
}

export interface ArtifactLineage {
  readonly artifact: Artifact;
  /** The task that made it first; a cached task produces it again without becoming its producer. */
  readonly producer: ArtifactUse | undefined;
  /** In order of time. */
  readonly consumers: readonly ArtifactUse[];
}

export interface ListArtifacts {
  /** Only those that tasks of this run made or used. */
  readonly runId?: string;
  readonly type?: string;
  /** 1 … `PAGE_SIZE_MAX`. */
  readonly pageSize: number;
  /** `next` of the page before. */
  readonly after?: number;
}

/** Newest first. */
export interface ArtifactPage {
  readonly artifacts: readonly Artifact[];
  /** Artifacts that match, on all pages. */
  readonly totalSize: number;
  readonly next: number | undefined;
}

export const PAGE_SIZE_MAX = 200;
/** Consumers listed for one artifact. */
export const CONSUMERS_MAX = 1000;
