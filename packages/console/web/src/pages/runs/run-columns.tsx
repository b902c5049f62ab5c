import { Text } from "@mantine/core";
import { isFinalState } from "../../api/run-graph.ts";
import type { RunMessage } from "../../api/pipeline-messages.ts";
import { nowMs } from "../../browser/time.ts";
import type { Column } from "../../components/data-table.tsx";
import { PageLink } from "../../components/links.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { formatDuration, parseTime } from "../../format/time.ts";

/** How a run stands in every list of runs. */
export const RUN_COLUMNS: readonly Column<RunMessage>[] = [
  {
    id: "name",
    title: "Name",
    sortField: "name",
    cell: (run) => (
      <PageLink to="/runs/details/$runId" params={{ runId: run.run_id }} fw={500}>
        {run.display_name || run.run_id}
      </PageLink>
    ),
  },
  {
    id: "state",
    title: "State",
    width: 130,
    sortField: "state",
    cell: (run) => <StateBadge state={run.state} />,
  },
  {
    id: "duration",
    title: "Duration",
    width: 120,
    isNumeric: true,
    cell: (run) => <RunDuration run={run} />,
  },
  {
    id: "created",
    title: "Started",
    width: 140,
    isNumeric: true,
    sortField: "created_at",
    cell: (run) => <TimeText at={run.created_at} />,
  },
];

function RunDuration(props: { readonly run: RunMessage }) {
  const { run } = props;
  const startedMs = parseTime(run.created_at);
  const finishedMs = parseTime(run.finished_at) ?? (isFinalState(run.state) ? undefined : nowMs());
  if (startedMs === undefined || finishedMs === undefined) {
    return (
      <Text span c="dimmed" fz="inherit">
        –
      </Text>
    );
  }
  return formatDuration(finishedMs - startedMs);
}
