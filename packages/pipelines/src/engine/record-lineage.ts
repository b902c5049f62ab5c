import type { Lineage } from "@kelp/lineage";
import type { Run } from "../run/run.ts";
import { type TaskNode, isGroup } from "./task-node.ts";

/** Records that a leaf began and what it read. */
export function recordStart(lineage: Lineage, run: Run, node: TaskNode, atMs: number): void {
  recordState(lineage, run, node);
  const { taskId, inputs } = node.row;
  for (const [name, artifacts] of Object.entries(inputs.artifacts)) {
    for (const { artifactId } of artifacts) {
      lineage.recordUse({ artifactId, taskId, direction: "consumed", name, atMs });
    }
  }
}

/** Records a leaf's state and, once it succeeded, what it made. Groups and skipped tasks leave no execution. */
export function recordState(lineage: Lineage, run: Run, node: TaskNode): void {
  if (isGroup(node) || node.row.state === "SKIPPED") return;
  const { taskId, runId, state, name: taskName, outputs, finishedMs } = node.row;
  lineage.recordExecution({ taskId, runId, runName: run.displayName, taskName, state });
  if (state !== "SUCCEEDED") return;
  for (const [name, artifacts] of Object.entries(outputs.artifacts)) {
    for (const { artifactId } of artifacts) {
      lineage.recordUse({ artifactId, taskId, direction: "produced", name, atMs: finishedMs });
    }
  }
}
