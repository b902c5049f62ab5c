import "@xyflow/react/dist/style.css";
import "./graph.css";
import { Center, Loader, useComputedColorScheme } from "@mantine/core";
import { Background, Controls, MiniMap, ReactFlow, ReactFlowProvider } from "@xyflow/react";
import { useCallback, useMemo, useRef, useState } from "react";
import { EmptyState } from "../components/empty-state.tsx";
import { STATE_COLORS } from "../components/state-labels.ts";
import { FitOnChange } from "./fit-on-change.tsx";
import { flowEdges, flowNodes } from "./flow-elements.ts";
import type { GraphTask } from "./graph-task.ts";
import { type TaskFlowNode, TaskNode } from "./task-node.tsx";
import { useLayout } from "./use-layout.ts";
import { visibleGraph } from "./visible-boxes.ts";

const NODE_TYPES = { task: TaskNode };
/** Beyond this only what is in sight is kept in the page. */
const RENDER_ALL_COUNT_MAX = 150;
const MINI_MAP_COUNT_MIN = 25;

export interface GraphViewProps {
  readonly tasks: readonly GraphTask[];
  readonly selectedId: string | undefined;
  readonly onSelect: (id: string | undefined) => void;
}

/** Tasks as a graph: boxes, frames that open, arrows for what waits for what. */
export function GraphView(props: GraphViewProps) {
  const { tasks, selectedId, onSelect } = props;
  const scheme = useComputedColorScheme("light");
  const [choices, setChoices] = useState<ReadonlyMap<string, boolean>>(new Map());
  const wasMoved = useRef(false);
  const visible = useMemo(() => visibleGraph(tasks, choices), [tasks, choices]);
  const placements = useLayout(visible.boxes);
  const onToggle = useCallback((id: string, isOpen: boolean) => {
    setChoices((current) => new Map(current).set(id, isOpen));
  }, []);
  const nodes = useMemo(
    () => flowNodes(visible.tasks, { placements, selectedId, onSelect, onToggle }),
    [visible, placements, selectedId, onSelect, onToggle],
  );
  const edges = useMemo(() => flowEdges(nodes), [nodes]);
  if (tasks.length === 0) {
    return <EmptyState title="No tasks yet">They appear here as the run is taken up.</EmptyState>;
  }
  if (placements === undefined) {
    return (
      <Center h="100%" mih={200}>
        <Loader size="sm" aria-label="Laying out the graph" />
      </Center>
    );
  }
  return (
    <div className="graph" data-testid="graph">
      <ReactFlowProvider>
        <ReactFlow<TaskFlowNode>
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          colorMode={scheme}
          fitView
          fitViewOptions={{ padding: 0.12, maxZoom: 1 }}
          minZoom={0.08}
          maxZoom={1.6}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          onlyRenderVisibleElements={nodes.length > RENDER_ALL_COUNT_MAX}
          onPaneClick={() => onSelect(undefined)}
          onMove={(event) => {
            // Pressing a button begins a move too; only one that moves counts, and only one by hand.

            if (event !== null) wasMoved.current = true;
          }}
        >
          <Background gap={22} size={1} />
          <Controls showInteractive={false} />
          {nodes.length >= MINI_MAP_COUNT_MIN && (
            <MiniMap<TaskFlowNode>
              pannable
              zoomable
              nodeColor={(node) => STATE_COLORS[node.data.visible.task.state ?? "PENDING"]}
            />
          )}
          <FitOnChange placements={placements} isHeld={wasMoved} />
        </ReactFlow>
      </ReactFlowProvider>
    </div>
  );
}
