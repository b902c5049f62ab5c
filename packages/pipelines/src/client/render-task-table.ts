import type { RunGraphMessage, RunState, RunTaskMessage } from "@kelp/wire/management";

export interface TableOptions {
  /** Columns of the screen; longer lines are cut. */
  readonly width: number;
  /** Colours and symbols, or plain text. */
  readonly isTerminal: boolean;
  /** Moment that unfinished tasks are measured to. */
  readonly nowMs: number;
  /** More tasks than this are summed up, finished ones first. No limit when absent. */
  readonly rowsMax?: number;
}

/** On a terminal, so that times stay on the screen; plain text is cut by the whole width alone. */
const NAME_WIDTH_MAX = 48;
const STATE_WIDTH = "SUCCEEDED".length;

const SYMBOLS = {
  PENDING: "·",
  RUNNING: "▶",
  SUCCEEDED: "✓",
  SKIPPED: "-",
  FAILED: "✗",
  CANCELING: "◌",
  CANCELED: "◌",
  PAUSED: "‖",
} as const satisfies Record<RunState, string>;

const COLORS = {
  PENDING: 90,
  RUNNING: 36,
  SUCCEEDED: 32,
  SKIPPED: 90,
  FAILED: 31,
  CANCELING: 33,
  CANCELED: 33,
  PAUSED: 33,
} as const satisfies Record<RunState, number>;

/** The tasks of a run as lines of text, children indented below their parents, in order of creation. */
export function renderTaskTable(graph: RunGraphMessage, options: TableOptions): string[] {
  const rows = toRows(graph.tasks);
  const shown = chooseRows(rows, options.rowsMax ?? rows.length);
  const nameWidth = Math.min(
    options.isTerminal ? NAME_WIDTH_MAX : options.width,
    Math.max(4, ...shown.map((row) => row.depth * 2 + row.label.length)),
  );
  const lines = shown.map((row) => renderRow(row, nameWidth, options));
  if (shown.length < rows.length) {
    lines.push(cut(`  … ${summary(rows.filter((row) => !shown.includes(row)))}`, options.width));
  }
  return lines;
}

interface Row {
  readonly task: RunTaskMessage;
  readonly depth: number;
  readonly label: string;
}

/** Parents before children; the root itself is the run and no row. */
function toRows(tasks: readonly RunTaskMessage[]): Row[] {
  const children = Map.groupBy(tasks, (task) => task.parent_task_id);
  const rows: Row[] = [];
  const visit = (parentId: string | null, depth: number): void => {
    for (const task of children.get(parentId) ?? []) {
      if (task.kind === "root") {
        visit(task.task_id, depth);
        continue;
      }
      rows.push({ task, depth, label: labelOf(task) });
      visit(task.task_id, depth + 1);
    }
  };
  visit(null, 0);
  return rows;
}

function labelOf(task: RunTaskMessage): string {
  const name = printable(task.display_name);
  return task.kind === "iteration" ? `${name} [${task.iteration_index ?? 0}]` : name;
}

/** What is going on or went wrong stays on the screen longest. */
function chooseRows(rows: readonly Row[], rowsMax: number): readonly Row[] {
  if (rows.length <= rowsMax) return rows;
  const urgency = (row: Row): number => URGENCY[row.task.state];
  const chosen = new Set(
    [...rows].sort((left, right) => urgency(left) - urgency(right)).slice(0, rowsMax),
  );
  return rows.filter((row) => chosen.has(row));
}

const URGENCY = {
  FAILED: 0,
  RUNNING: 1,
  CANCELING: 1,
  PAUSED: 1,
  CANCELED: 2,
  PENDING: 3,
  SUCCEEDED: 4,
  SKIPPED: 5,
} as const satisfies Record<RunState, number>;

function renderRow(row: Row, nameWidth: number, options: TableOptions): string {
  const { task } = row;
  const name = cut(`${"  ".repeat(row.depth)}${row.label}`, nameWidth).padEnd(nameWidth);
  const duration = durationText(task, options.nowMs).padStart(7);
  const state = options.isTerminal ? SYMBOLS[task.state] : task.state.padEnd(STATE_WIDTH);
  const line = cut(`${state} ${name} ${duration}${noteOf(task)}`, options.width).trimEnd();
  return options.isTerminal ? `\u001b[${COLORS[task.state]}m${line}\u001b[0m` : line;
}

function noteOf(task: RunTaskMessage): string {
  const notes: string[] = [];
  if (task.is_cached) notes.push("cached");
  if (task.attempt > 1) notes.push(`attempt ${task.attempt}`);
  return notes.length === 0 ? "" : `  ${notes.join(", ")}`;
}

function durationText(task: RunTaskMessage, nowMs: number): string {
  if (task.started_at === null) return "";
  const endMs = task.finished_at === null ? nowMs : Date.parse(task.finished_at);
  const seconds = Math.max(0, endMs - Date.parse(task.started_at)) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(Math.floor(seconds % 60)).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}

function summary(rows: readonly Row[]): string {
  const counts = Map.groupBy(rows, (row) => row.task.state);
  const parts = [...counts].map(([state, list]) => `${list.length} ${state.toLowerCase()}`);
  return `${rows.length} more: ${parts.join(", ")}`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Names and messages may hold anything, also what would steer a terminal. Tabs and line breaks stay. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- finding control characters is the purpose
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}
