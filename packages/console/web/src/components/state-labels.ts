import type { RunState } from "@kelp/wire/management";

export const STATE_LABELS = {
  PENDING: "Pending",
  RUNNING: "Running",
  SUCCEEDED: "Succeeded",
  SKIPPED: "Skipped",
  FAILED: "Failed",
  CANCELING: "Stopping",
  CANCELED: "Stopped",
  PAUSED: "Paused",
} as const satisfies Record<RunState, string>;

/** Colours that hold on light and dark ground alike. */
export const STATE_COLORS = {
  PENDING: "light-dark(#7a8a82, #8a9a92)",
  RUNNING: "light-dark(#1f6fd0, #5aa2f5)",
  SUCCEEDED: "light-dark(#0f7a45, #45b977)",
  SKIPPED: "light-dark(#7a8a82, #8a9a92)",
  FAILED: "light-dark(#c92a2a, #ff7b7b)",
  CANCELING: "light-dark(#b35c00, #f0a04b)",
  CANCELED: "light-dark(#b35c00, #f0a04b)",
  PAUSED: "light-dark(#7a8a82, #8a9a92)",
} as const satisfies Record<RunState, string>;
