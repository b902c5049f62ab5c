import "./run.css";
import type { RunGraphMessage } from "@kelp/wire/management";
import { Center, Loader } from "@mantine/core";
import { useMemo } from "react";
import { ErrorNote } from "../../components/error-note.tsx";
import { GraphView } from "../../graph/graph-view.tsx";
import { tasksOfRun } from "../../graph/tasks-of-run.ts";
import { TaskPanel } from "./task-panel.tsx";

/** The run as a graph, and beside it the task that was picked. */
export function RunGraph(props: {
  readonly graph: RunGraphMessage | undefined;
  readonly error: unknown;
  readonly selectedId: string | undefined;
  readonly onSelect: (id: string | undefined) => void;
}) {
  const { graph, error, selectedId, onSelect } = props;
  const tasks = useMemo(() => (graph === undefined ? undefined : tasksOfRun(graph)), [graph]);
  if (graph === undefined || tasks === undefined) {
    if (error !== null) return <ErrorNote error={error} />;
    return (
      <Center mih={200}>
        <Loader size="sm" aria-label="Loading the graph" />
      </Center>
    );
  }
  const selected = graph.tasks.find((task) => task.task_id === selectedId);
  return (
    <div className="run-graph">
      <div className="panel run-graph-canvas">
        <GraphView tasks={tasks} selectedId={selectedId} onSelect={onSelect} />
      </div>
      {selected !== undefined && (
        <TaskPanel
          key={selected.task_id}
          runId={graph.run_id}
          task={selected}
          onClose={() => onSelect(undefined)}
        />
      )}
    </div>
  );
}
