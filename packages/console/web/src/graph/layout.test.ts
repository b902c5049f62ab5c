import { expect, test } from "bun:test";
import { type LayoutBox, layoutBoxes } from "./layout.ts";

const box = (id: string, after: readonly string[] = [], children: readonly LayoutBox[] = []) => ({
  id,
  after,
  children,
});

test("a box stands below those that come before it", () => {
  const places = layoutBoxes([box("b", ["a"]), box("a")]);
  const above = places.get("a");
  expect(places.get("b")?.y).toBeGreaterThanOrEqual((above?.y ?? 0) + (above?.height ?? 0));
});

test("a frame holds its children with room for its header", () => {
  const places = layoutBoxes([box("frame", [], [box("one"), box("two", ["one"]), box("three")])]);
  const frame = places.get("frame");
  for (const id of ["one", "two", "three"]) {
    const place = places.get(id);
    expect(place?.y).toBeGreaterThan(30);
    expect((place?.x ?? 0) + (place?.width ?? 0)).toBeLessThanOrEqual(frame?.width ?? 0);
    expect((place?.y ?? 0) + (place?.height ?? 0)).toBeLessThanOrEqual(frame?.height ?? 0);
  }
});

test("an edge to a box that is not there is left out", () => {
  expect([...layoutBoxes([box("a", ["gone"])]).keys()]).toEqual(["a"]);
});

test("two frames side by side do not overlap", () => {
  const places = layoutBoxes([box("l", [], [box("l1")]), box("r", [], [box("r1"), box("r2")])]);
  const [left, right] = [places.get("l"), places.get("r")].sort(
    (a, b) => (a?.x ?? 0) - (b?.x ?? 0),
  );
  expect((left?.x ?? 0) + (left?.width ?? 0)).toBeLessThanOrEqual(right?.x ?? 0);
});
