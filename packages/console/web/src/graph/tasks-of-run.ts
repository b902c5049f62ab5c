import type { RunGraphMessage, RunTaskMessage } from "@kelp/wire/management";
import type { GraphTask } from "./graph-task.ts";

/** Tasks of a run without the root, which is the run itself. */
export function tasksOfRun(graph: RunGraphMessage): readonly GraphTask[] {
  const roots = new Set(
    graph.tasks.filter((task) => task.kind === "root").map((task) => task.task_id),
  );
  return graph.tasks.filter((task) => task.kind !== "root").map((task) => graphTask(task, roots));
}

function graphTask(task: RunTaskMessage, roots: ReadonlySet<string>): GraphTask {
  const parent = task.parent_task_id;
  return {
    id: task.task_id,
    parentId: parent === null || roots.has(parent) ? undefined : parent,
    name: task.name,
    title: taskTitle(task),
    kind: task.kind,
    state: task.state,
    isCached: task.is_cached,
    dependsOn: task.depends_on,
    iterationIndex: task.iteration_index ?? undefined,
  };
}

export function taskTitle(
  task: Pick<RunTaskMessage, "kind" | "iteration_index" | "display_name" | "name">,
): string {
  if (task.kind === "iteration" && task.iteration_index !== null) {
    return `Iteration ${task.iteration_index + 1}`;
  }
  return task.display_name || task.name;
}
