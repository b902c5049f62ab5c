import { describe, expect, test } from "bun:test";
import type { RunGraphMessage, RunTaskMessage } from "@kelp/wire/management";
import { printable, renderTaskTable } from "./render-task-table.ts";

const NOW_MS = Date.parse("2026-01-01T00:01:40.000Z");
const plain = { width: 100, isTerminal: false, nowMs: NOW_MS };

function task(id: string, more: Partial<RunTaskMessage> = {}): RunTaskMessage {
  return {
    task_id: id,
    parent_task_id: "root",
    name: id,
    display_name: id,
    kind: "step",
    state: "SUCCEEDED",
    is_cached: false,
    iteration_index: null,
    depends_on: [],
    attempt: 1,
    created_at: "2026-01-01T00:00:00.000Z",
    started_at: "2026-01-01T00:00:00.000Z",
    finished_at: "2026-01-01T00:00:01.500Z",
    error: null,
    inputs: { parameters: {}, artifacts: {} },
    outputs: { parameters: {}, artifacts: {} },
    has_log: true,
    ...more,
  };
}

function graphOf(...tasks: readonly RunTaskMessage[]): RunGraphMessage {
  return {
    run_id: "run",
    display_name: "run",
    state: "RUNNING",
    error: null,
    created_at: "2026-01-01T00:00:00.000Z",
    finished_at: null,
    pipeline_name: "p",
    tasks: [task("root", { parent_task_id: null, kind: "root" }), ...tasks],
  };
}

describe("the task table", () => {
  test("indents children, numbers iterations, measures unfinished tasks until now", () => {
    const graph = graphOf(
      task("first", { is_cached: true }),
      task("loop", { kind: "loop", state: "RUNNING", finished_at: null }),
      task("i0", {
        kind: "iteration",
        display_name: "loop",
        parent_task_id: "loop",
        iteration_index: 0,
      }),
      task("inner", { parent_task_id: "i0", attempt: 2 }),
      task("last", { state: "PENDING", started_at: null, finished_at: null }),
    );
    expect(renderTaskTable(graph, plain)).toEqual([
      "SUCCEEDED first         1.5s  cached",
      "RUNNING   loop         1m40s",
      "SUCCEEDED   loop [0]    1.5s",
      "SUCCEEDED     inner     1.5s  attempt 2",
      "PENDING   last",
    ]);
  });

  test("a terminal gets symbols and colours", () => {
    const graph = graphOf(task("good"), task("bad", { state: "FAILED" }));
    expect(renderTaskTable(graph, { ...plain, isTerminal: true })).toEqual([
      "\u001b[32m✓ good    1.5s\u001b[0m",
      "\u001b[31m✗ bad     1.5s\u001b[0m",
    ]);
  });

  test("lines are cut to the width", () => {
    const graph = graphOf(task("x".repeat(100)));
    const [line = ""] = renderTaskTable(graph, { ...plain, width: 20 });
    expect(line).toHaveLength(20);
    expect(line).toEndWith("…");
  });

  test("with too many rows, failed and running ones are kept and the rest is counted", () => {
    const many = Array.from({ length: 10 }, (_each, n) => task(`s${n}`));
    const graph = graphOf(
      ...many,
      task("bad", { state: "FAILED" }),
      task("now", { state: "RUNNING" }),
    );
    const lines = renderTaskTable(graph, { ...plain, rowsMax: 3 });
    expect(lines.map((line) => line.split(/\s+/)[1])).toEqual(["s0", "bad", "now", "…"]);
    expect(lines.at(-1)).toBe("  … 9 more: 9 succeeded");
  });

  test("long names are cut on a terminal alone", () => {
    const name = "x".repeat(60);
    const [plainLine = ""] = renderTaskTable(graphOf(task(name)), plain);
    const [line = ""] = renderTaskTable(graphOf(task(name)), { ...plain, isTerminal: true });
    expect([plainLine.includes(name), line.includes(name), line.includes("1.5s")]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test("a run that has not begun is no line", () => {
    expect(renderTaskTable({ ...graphOf(), tasks: [] }, plain)).toEqual([]);
  });

  test("names cannot steer the terminal", () => {
    const [line] = renderTaskTable(
      graphOf(task("a", { display_name: "a\u001b[2Jb\u009b" })),
      plain,
    );
    expect(line).toStartWith("SUCCEEDED a[2Jb");
    expect(printable("one\n\ttwo\u0007\u001b")).toBe("one\n\ttwo");
  });
});
