import { Graph, layout } from "@dagrejs/dagre";

/** A box to place. A box with `children` is a frame around them and as large as they need. */
export interface LayoutBox {
  readonly id: string;
  readonly children: readonly LayoutBox[];
  /** Ids of boxes beside this one that come before it. */
  readonly after: readonly string[];
}

/** Position inside the surrounding frame, in pixels. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const BOX_WIDTH = 208;
export const BOX_HEIGHT = 38;
export const FRAME_HEADER_HEIGHT = 34;
const FRAME_PADDING = 14;

/** Places boxes from top to bottom by what comes before what, frames from the inside out. */
export function layoutBoxes(boxes: readonly LayoutBox[]): ReadonlyMap<string, Placement> {
  const placements = new Map<string, Placement>();
  placeLevel(boxes, placements);
  return placements;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function placeLevel(boxes: readonly LayoutBox[], placements: Map<string, Placement>): Size {
  const graph = new Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 26, ranksep: 40, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  const ids = new Set(boxes.map((box) => box.id));
  for (const box of boxes) graph.setNode(box.id, sizeOf(box, placements));
  for (const box of boxes) {
    for (const before of box.after) if (ids.has(before)) graph.setEdge(before, box.id);
  }
  layout(graph);
  return collect(boxes, graph, placements);
}

function sizeOf(box: LayoutBox, placements: Map<string, Placement>): Size {
  if (box.children.length === 0) return { width: BOX_WIDTH, height: BOX_HEIGHT };
  const inner = placeLevel(box.children, placements);
  for (const child of box.children) {
    const place = placements.get(child.id);
    if (place === undefined) continue;
    placements.set(child.id, {
      ...place,
      x: place.x + FRAME_PADDING,
      y: place.y + FRAME_HEADER_HEIGHT + FRAME_PADDING,
    });
  }
  return {
    width: Math.max(BOX_WIDTH, inner.width + 2 * FRAME_PADDING),
    height: inner.height + FRAME_HEADER_HEIGHT + 2 * FRAME_PADDING,
  };
}

function collect(
  boxes: readonly LayoutBox[],
  graph: Graph,
  placements: Map<string, Placement>,
): Size {
  let right = 0;
  let bottom = 0;
  for (const box of boxes) {
    const node = graph.node(box.id);
    const { width, height } = node;
    const x = (node.x ?? 0) - width / 2;
    const y = (node.y ?? 0) - height / 2;
    placements.set(box.id, { x, y, width, height });
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  return { width: right, height: bottom };
}
