import { type Edge, MarkerType } from "@xyflow/react";
import type { Placement } from "./layout.ts";
import type { TaskFlowNode, TaskNodeData } from "./task-node.tsx";
import type { VisibleTask } from "./visible-boxes.ts";

/** Boxes that have a place. Parents come before children, as the drawing library asks. */
export function flowNodes(
  tasks: readonly VisibleTask[],
  view: {
    readonly placements: ReadonlyMap<string, Placement> | undefined;
    readonly selectedId: string | undefined;
    readonly onSelect: TaskNodeData["onSelect"];
    readonly onToggle: TaskNodeData["onToggle"];
  },
): TaskFlowNode[] {
  const nodes: TaskFlowNode[] = [];
  const placed = new Set<string>();
  for (const visible of tasks) {
    const { id, parentId } = visible.task;
    const place = view.placements?.get(id);
    // A task that has just appeared is drawn as soon as it, and the frame around it, are placed.
    if (place === undefined || (parentId !== undefined && !placed.has(parentId))) continue;
    placed.add(id);
    nodes.push({
      id,
      type: "task",
      position: { x: place.x, y: place.y },
      width: place.width,
      height: place.height,
      // The library lets the pointer through boxes that can be neither dragged nor selected; these hold buttons.
      style: { pointerEvents: "all" },
      ...(parentId === undefined ? {} : { parentId }),
      data: {
        visible,
        isSelected: id === view.selectedId,
        onSelect: view.onSelect,
        onToggle: view.onToggle,
      },
    });
  }
  return nodes;
}

export function flowEdges(nodes: readonly TaskFlowNode[]): Edge[] {
  const ids = new Set(nodes.map((node) => node.id));
  return nodes.flatMap((node) =>
    node.data.visible.task.dependsOn
      .filter((before) => ids.has(before))
      .map((before) => ({
        id: `${before}→${node.id}`,
        source: before,
        target: node.id,
        markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14 },
        animated: node.data.visible.task.state === "RUNNING",
      })),
  );
}
