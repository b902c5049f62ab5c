import { unreachable } from "@kelp/base";
import type { Condition, ConditionFailed } from "@kelp/wire";

/** What conditions look at. */
export interface ConditionSubject {
  readonly etag: string;
  readonly position: number;
}

/** The refusal, or `undefined` when the condition holds of the current entry. */
export function failedCondition(
  condition: Condition | undefined,
  current: ConditionSubject | undefined,
): ConditionFailed | undefined {
  if (condition === undefined || holds(condition, current)) return undefined;
  return { kind: "condition-failed", exists: current !== undefined };
}

function holds(condition: Condition, current: ConditionSubject | undefined): boolean {
  switch (condition.kind) {
    case "absent":
      return current === undefined;
    case "present":
      return current !== undefined;
    case "etag":
      return current !== undefined && condition.etags.includes(current.etag);
    case "position":
      return current?.position === condition.position;
    default:
      return unreachable(condition);
  }
}
