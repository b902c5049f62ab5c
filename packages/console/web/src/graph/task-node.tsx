import { Tooltip } from "@mantine/core";
import {
  IconBolt,
  IconChevronDown,
  IconChevronRight,
  IconDatabaseImport,
} from "@tabler/icons-react";
import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import type { CSSProperties } from "react";
import { StateIcon } from "../components/state-icon.tsx";
import { STATE_COLORS } from "../components/state-labels.ts";
import { TASK_KIND_LABELS } from "./task-kind-labels.ts";
import type { VisibleTask } from "./visible-boxes.ts";

export interface TaskNodeData extends Record<string, unknown> {
  readonly visible: VisibleTask;
  readonly isSelected: boolean;
  readonly onSelect: (id: string) => void;
  readonly onToggle: (id: string, isOpen: boolean) => void;
}

export type TaskFlowNode = Node<TaskNodeData, "task">;

/** One task: a box, or a frame around its own tasks when it is open. */
export function TaskNode(props: NodeProps<TaskFlowNode>) {
  const { visible, isSelected, onSelect } = props.data;
  const { task, isGroup, isOpen } = visible;
  const color = task.state === undefined ? "var(--kelp-quiet)" : STATE_COLORS[task.state];
  return (
    <div
      className="task-node"
      data-testid="task-node"
      data-task-name={task.name}
      data-state={task.state}
      data-kind={task.kind}
      data-open={isOpen || undefined}
      data-selected={isSelected || undefined}
      style={taskColor(color)}
    >
      <Handle type="target" position={Position.Top} isConnectable={false} />
      <div className="task-node-header">
        <button
          type="button"
          className="task-node-button"
          aria-pressed={isSelected}
          title={task.title}
          onClick={() => onSelect(task.id)}
        >
          {task.state !== undefined && <StateIcon state={task.state} />}
          {task.kind === "importer" && <IconDatabaseImport size={15} aria-label="Importer" />}
          <span className="task-node-title">{task.title}</span>
          {task.isCached && (
            <Tooltip label="Taken from the cache">
              <IconBolt size={14} aria-label="Taken from the cache" style={{ flex: "none" }} />
            </Tooltip>
          )}
        </button>
        {isGroup && <GroupToggle {...props.data} />}
      </div>
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </div>
  );
}

/** The type of styles does not know custom properties. */
function taskColor(color: string): CSSProperties {
  return { "--task-color": color } as CSSProperties;
}

function GroupToggle(props: TaskNodeData) {
  const { task, isOpen, childCount, hiddenChildCount } = props.visible;
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  const count =
    hiddenChildCount > 0 && isOpen
      ? `${childCount - hiddenChildCount} of ${childCount}`
      : childCount;
  return (
    <button
      type="button"
      className="task-node-toggle"
      aria-expanded={isOpen}
      aria-label={`${isOpen ? "Close" : "Open"} ${task.title}`}
      onClick={() => props.onToggle(task.id, !isOpen)}
      data-testid="task-toggle"
    >
      <span>
        {TASK_KIND_LABELS[task.kind]} · {count}
      </span>
      <Chevron size={14} aria-hidden />
    </button>
  );
}
