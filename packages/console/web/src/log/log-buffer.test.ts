import { expect, test } from "bun:test";
import { LOG_LINE_COUNT_MAX, LogBuffer } from "./log-buffer.ts";

const immediate = (run: () => void): void => run();

test("pieces are joined into lines, the unfinished one included", () => {
  const buffer = new LogBuffer(immediate);
  buffer.append("one\ntw");
  buffer.append("o\nthr");
  expect(buffer.snapshot().lines).toEqual(["one", "two", "thr"]);
});

test("colours are taken out and a redrawn line shows its last state", () => {
  const buffer = new LogBuffer(immediate);
  buffer.append("\u001B[31mred\u001B[0m\n10%\r50%\r100%\r\n");
  expect(buffer.snapshot().lines).toEqual(["red", "100%"]);
});

test("old lines are dropped and counted", () => {
  const buffer = new LogBuffer(immediate);
  buffer.append("x\n".repeat(LOG_LINE_COUNT_MAX + 1));
  const { lines, droppedCount } = buffer.snapshot();
  expect(lines.length + droppedCount).toBe(LOG_LINE_COUNT_MAX + 1);
  expect(lines.length).toBeLessThanOrEqual(LOG_LINE_COUNT_MAX);
});

test("watchers hear once of many pieces in one turn", () => {
  const turns: (() => void)[] = [];
  const buffer = new LogBuffer((run) => turns.push(run));
  let heard = 0;
  buffer.subscribe(() => (heard += 1));
  buffer.append("a\n");
  buffer.append("b\n");
  for (const turn of turns) turn();
  expect([turns.length, heard]).toEqual([1, 1]);
});
