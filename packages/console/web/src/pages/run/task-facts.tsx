import type { RunTaskMessage } from "@kelp/wire/management";
import { nowMs } from "../../browser/time.ts";
import { CopyText } from "../../components/copy-text.tsx";
import { KeyValues } from "../../components/key-values.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { formatDuration, parseTime } from "../../format/time.ts";

export function TaskFacts(props: { readonly task: RunTaskMessage }) {
  const { task } = props;
  const startedMs = parseTime(task.started_at);
  const finishedMs =
    parseTime(task.finished_at) ?? (task.state === "RUNNING" ? nowMs() : undefined);
  return (
    <KeyValues
      entries={[
        ["Task id", <CopyText key="id" text={task.task_id} />],
        ["Name", task.name],
        ["Attempt", String(task.attempt)],
        ["Created", <TimeText key="created" at={task.created_at} />],
        ["Started", <TimeText key="started" at={task.started_at} />],
        ["Finished", <TimeText key="finished" at={task.finished_at} />],
        [
          "Duration",
          startedMs === undefined || finishedMs === undefined
            ? "–"
            : formatDuration(finishedMs - startedMs),
        ],
      ]}
    />
  );
}
