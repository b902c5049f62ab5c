import type { RunState, TaskKind } from "@kelp/wire/management";

/** A task as the graph draws it, of a run or of a specification that never ran. */
export interface GraphTask {
  readonly id: string;
  /** `undefined` at the top. */
  readonly parentId: string | undefined;
  readonly name: string;
  readonly title: string;
  readonly kind: TaskKind;
  /** `undefined` in a specification. */
  readonly state: RunState | undefined;
  readonly isCached: boolean;
  /** Ids of siblings. */
  readonly dependsOn: readonly string[];
  readonly iterationIndex: number | undefined;
}
