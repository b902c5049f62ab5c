import type { RunState } from "@kelp/wire/management";
import type { GraphTask } from "./graph-task.ts";
import type { LayoutBox } from "./layout.ts";

/** Up to this many tasks everything is open at first. */
const OPEN_TASK_COUNT_MAX = 40;
/** A loop of thousands shows those that matter most; the list of its iterations is not for drawing. */
export const CHILD_COUNT_MAX = 60;

export interface VisibleGraph {
  readonly boxes: readonly LayoutBox[];
  /** Tasks that are drawn, parents before children. */
  readonly tasks: readonly VisibleTask[];
}

export interface VisibleTask {
  readonly task: GraphTask;
  readonly isGroup: boolean;
  readonly isOpen: boolean;
  readonly childCount: number;
  readonly hiddenChildCount: number;
}

/** What is drawn when some groups are open. `choices` are those that a person opened or closed. */
export function visibleGraph(
  tasks: readonly GraphTask[],
  choices: ReadonlyMap<string, boolean>,
): VisibleGraph {
  const children = Map.groupBy(tasks, (task) => task.parentId);
  const isOpenByDefault = tasks.length <= OPEN_TASK_COUNT_MAX;
  const drawn: VisibleTask[] = [];
  const level = (parentId: string | undefined): LayoutBox[] =>
    mostTelling(children.get(parentId) ?? []).map((task) => {
      const own = children.get(task.id) ?? [];
      const isOpen = own.length > 0 && (choices.get(task.id) ?? isOpenByDefault);
      drawn.push({
        task,
        isGroup: own.length > 0,
        isOpen,
        childCount: own.length,
        hiddenChildCount: Math.max(0, own.length - CHILD_COUNT_MAX),
      });
      return { id: task.id, after: task.dependsOn, children: isOpen ? level(task.id) : [] };
    });
  return { boxes: level(undefined), tasks: drawn };
}

const URGENCY: Readonly<Record<RunState, number>> = {
  FAILED: 0,
  RUNNING: 1,
  CANCELING: 1,
  PAUSED: 1,
  PENDING: 2,
  CANCELED: 2,
  SUCCEEDED: 3,
  SKIPPED: 4,
};

function mostTelling(tasks: readonly GraphTask[]): readonly GraphTask[] {
  if (tasks.length <= CHILD_COUNT_MAX || tasks[0]?.kind !== "iteration") return tasks;
  const urgency = (task: GraphTask): number => URGENCY[task.state ?? "PENDING"];
  return tasks
    .toSorted((left, right) => urgency(left) - urgency(right))
    .slice(0, CHILD_COUNT_MAX)
    .toSorted((left, right) => (left.iterationIndex ?? 0) - (right.iterationIndex ?? 0));
}
