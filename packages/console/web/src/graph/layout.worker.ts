import { type LayoutBox, type Placement, layoutBoxes } from "./layout.ts";

/** Hundreds of boxes take about a second to place: off the page's own thread. */

export interface LayoutRequest {
  readonly sequence: number;
  readonly boxes: readonly LayoutBox[];
}

export interface LayoutAnswer {
  readonly sequence: number;
  readonly placements: ReadonlyMap<string, Placement>;
}

addEventListener("message", (event: MessageEvent<LayoutRequest>) => {
  const { sequence, boxes } = event.data;
  const answer: LayoutAnswer = { sequence, placements: layoutBoxes(boxes) };
  postMessage(answer);
});
