import type { RunTaskMessage } from "@kelp/wire/management";
import { ActionIcon, Group, Tabs, Text, Title } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { StateBadge } from "../../components/state-badge.tsx";
import { TASK_KIND_LABELS } from "../../graph/task-kind-labels.ts";
import { taskTitle } from "../../graph/tasks-of-run.ts";
import { TaskFacts } from "./task-facts.tsx";
import { TaskValues } from "./task-values.tsx";

const LogView = lazy(async () => ({ default: (await import("../../log/log-view.tsx")).LogView }));

/** One task of a run: what went in, what came out, what it wrote. */
export function TaskPanel(props: {
  readonly runId: string;
  readonly task: RunTaskMessage;
  readonly onClose: () => void;
}) {
  const { task, runId } = props;
  // While a step works, its log is what people come for.
  const [tab, setTab] = useState<string | null>(
    task.has_log && (task.state === "RUNNING" || task.state === "FAILED") ? "log" : "values",
  );
  return (
    <aside
      className="panel task-panel"
      aria-label={`Task ${taskTitle(task)}`}
      data-testid="task-panel"
    >
      <Group justify="space-between" wrap="nowrap" px={14} pt={10}>
        <Title order={2} style={{ overflowWrap: "anywhere" }}>
          {taskTitle(task)}
        </Title>
        <ActionIcon aria-label="Close the task" onClick={props.onClose}>
          <IconX size={16} />
        </ActionIcon>
      </Group>
      <Group gap="sm" px={14} pb={6} fz="sm">
        <StateBadge state={task.state} />
        <Text span c="dimmed" fz="inherit">
          {TASK_KIND_LABELS[task.kind]}
          {task.is_cached && ", taken from the cache"}
        </Text>
      </Group>
      <Tabs
        value={tab}
        onChange={setTab}
        keepMounted={false}
        style={{ display: "flex", flexDirection: "column", flex: 1, minHeight: 0 }}
      >
        <Tabs.List px={6}>
          <Tabs.Tab value="values">Inputs and outputs</Tabs.Tab>
          {task.has_log && (
            <Tabs.Tab value="log" data-testid="log-tab">
              Log
            </Tabs.Tab>
          )}
          <Tabs.Tab value="facts">Details</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="values" className="task-panel-body">
          <TaskValues task={task} />
        </Tabs.Panel>
        <Tabs.Panel value="log" className="task-panel-body">
          <Suspense>
            {/* A retried task is a new log. */}
            <LogView key={task.attempt} runId={runId} taskId={task.task_id} />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="facts" className="task-panel-body">
          <TaskFacts task={task} />
        </Tabs.Panel>
      </Tabs>
    </aside>
  );
}
