import { expect, test } from "bun:test";
import type { GraphTask } from "./graph-task.ts";
import { CHILD_COUNT_MAX, visibleGraph } from "./visible-boxes.ts";

const task = (id: string, more: Partial<GraphTask> = {}): GraphTask => ({
  id,
  parentId: undefined,
  name: id,
  title: id,
  kind: "step",
  state: "SUCCEEDED",
  isCached: false,
  dependsOn: [],
  iterationIndex: undefined,
  ...more,
});

test("a closed group hides what is in it", () => {
  const tasks = [task("g", { kind: "dag" }), task("g/a", { parentId: "g" })];
  expect(visibleGraph(tasks, new Map()).tasks.map((drawn) => drawn.task.id)).toEqual(["g", "g/a"]);
  const closed = visibleGraph(tasks, new Map([["g", false]]));
  expect(closed.tasks.map((drawn) => drawn.task.id)).toEqual(["g"]);
  expect(closed.boxes).toEqual([{ id: "g", after: [], children: [] }]);
});

test("a long loop shows its failures first and says how many it hides", () => {
  const iterations = Array.from({ length: 500 }, (_, index) =>
    task(`i${index}`, {
      parentId: "loop",
      kind: "iteration",
      iterationIndex: index,
      state: index === 444 ? "FAILED" : "SUCCEEDED",
    }),
  );
  const shown = visibleGraph(
    [task("loop", { kind: "loop" }), ...iterations],
    new Map([["loop", true]]),
  );
  expect(shown.tasks[0]?.hiddenChildCount).toBe(500 - CHILD_COUNT_MAX);
  expect(shown.tasks.some((drawn) => drawn.task.id === "i444")).toBe(true);
  expect(shown.tasks.length).toBe(1 + CHILD_COUNT_MAX);
});
