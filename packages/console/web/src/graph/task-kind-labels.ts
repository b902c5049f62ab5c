import type { TaskKind } from "@kelp/wire/management";

export const TASK_KIND_LABELS = {
  root: "Pipeline",
  dag: "Sub-pipeline",
  condition: "Condition",
  "condition-branches": "Branches",
  loop: "Loop",
  iteration: "Iteration",
  "exit-handler": "Exit handler",
  importer: "Importer",
  step: "Step",
} as const satisfies Record<TaskKind, string>;
