import type { RunGraphMessage, RunState, RunTaskMessage } from "@kelp/wire/management";
import { printable, renderTaskTable } from "./render-task-table.ts";

export interface DisplayOptions {
  /** Writes text as it is. */
  readonly print: (text: string) => void;
  readonly width: number;
  /** Lines of the screen; only meant where `isTerminal`. */
  readonly height: number;
  readonly isTerminal: boolean;
}

/** Lines kept free below the table for the result and the prompt. */
const LINES_RESERVED = 4;

/** Shows a run's progress: a table drawn over itself on a terminal, one line per change elsewhere. */
export class TaskDisplay {
  readonly #options: DisplayOptions;
  readonly #known = new Map<string, RunState>();
  #linesDrawn = 0;

  constructor(options: DisplayOptions) {
    this.#options = options;
  }

  show(graph: RunGraphMessage, nowMs: number): void {
    if (this.#options.isTerminal) this.#redraw(graph, nowMs);
    else this.#printChanges(graph, nowMs);
  }

  #redraw(graph: RunGraphMessage, nowMs: number): void {
    const { width, height, print } = this.#options;
    const rowsMax = Math.max(1, height - LINES_RESERVED);
    const lines = renderTaskTable(graph, { width, isTerminal: true, nowMs, rowsMax });
    const back = this.#linesDrawn === 0 ? "" : `\u001b[${this.#linesDrawn}A\u001b[0J`;
    print(`${back}${lines.map((line) => `${line}\n`).join("")}`);
    this.#linesDrawn = lines.length;
  }

  #printChanges(graph: RunGraphMessage, nowMs: number): void {
    const changed = graph.tasks.filter((task) => this.#known.get(task.task_id) !== task.state);
    for (const task of changed) this.#known.set(task.task_id, task.state);
    const byId = new Map(graph.tasks.map((task) => [task.task_id, task]));
    // Without their parents the lines stand alone, unindented.
    const tasks = changed.map((task) => ({
      ...task,
      parent_task_id: null,
      display_name: pathOf(byId, task),
    }));
    const options = { width: Number.MAX_SAFE_INTEGER, isTerminal: false, nowMs };
    for (const line of renderTaskTable({ ...graph, tasks }, options))
      this.#options.print(`${line}\n`);
  }
}

/** `loop [2] / step`: a name that says where a task is. */
function pathOf(byId: ReadonlyMap<string, RunTaskMessage>, task: RunTaskMessage): string {
  const names = [printable(task.display_name)];
  let above = byId.get(task.parent_task_id ?? "");
  while (above !== undefined && above.kind !== "root") {
    const index = above.kind === "iteration" ? ` [${above.iteration_index ?? 0}]` : "";
    names.unshift(printable(above.display_name) + index);
    above = byId.get(above.parent_task_id ?? "");
  }
  return names.join(" / ");
}
