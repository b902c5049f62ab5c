import { Alert, Button, Group, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { isFinalState } from "../../api/run-graph.ts";
import type { RunMessage } from "../../api/pipeline-messages.ts";
import { nowMs } from "../../browser/time.ts";
import { PageLink } from "../../components/links.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { formatDuration, parseTime } from "../../format/time.ts";
import { useRunAction } from "../runs/run-actions.tsx";

export function RunHeader(props: { readonly runId: string; readonly run: RunMessage | undefined }) {
  const { runId, run } = props;
  return (
    <>
      <PageHeader
        title={
          <Group gap={6}>
            <PageLink to="/runs">Runs</PageLink>
            <Text span c="dimmed" fz="inherit" aria-hidden>
              /
            </Text>
            <span data-testid="run-name">{run?.display_name || runId}</span>
          </Group>
        }
        beside={
          run !== undefined && (
            <Group gap="sm" fz="sm">
              <StateBadge state={run.state} />
              <Text span c="dimmed" fz="inherit">
                {duration(run)}
              </Text>
            </Group>
          )
        }
      >
        {run !== undefined && <HeaderActions run={run} />}
      </PageHeader>
      {run?.state === "FAILED" && run.error?.message !== undefined && (
        <Alert color="red" variant="light" role="alert" data-testid="run-error">
          <Text size="sm" style={{ whiteSpace: "pre-wrap", maxHeight: 160, overflow: "auto" }}>
            {run.error.message}
          </Text>
        </Alert>
      )}
    </>
  );
}

function HeaderActions(props: { readonly run: RunMessage }) {
  const { run } = props;
  const navigate = useNavigate();
  const act = useRunAction(run.run_id);
  const isFinal = isFinalState(run.state);
  return (
    <>
      {!isFinal && (
        <Button
          variant="default"
          disabled={run.state === "CANCELING"}
          loading={act.isPending}
          onClick={() => act.mutate("terminate")}
          data-testid="terminate-run"
        >
          Stop
        </Button>
      )}
      {run.state === "FAILED" && (
        <Button loading={act.isPending} onClick={() => act.mutate("retry")} data-testid="retry-run">
          Retry
        </Button>
      )}
      <Button
        variant="default"
        onClick={() => {
          navigate({ to: "/runs/new", search: { cloneFrom: run.run_id } }).catch(() => undefined);
        }}
        data-testid="clone-run"
      >
        Clone
      </Button>
      <Button
        variant="default"
        onClick={() => act.mutate(run.storage_state === "ARCHIVED" ? "unarchive" : "archive")}
        data-testid="archive-run"
      >
        {run.storage_state === "ARCHIVED" ? "Restore" : "Archive"}
      </Button>
    </>
  );
}

function duration(run: RunMessage): string {
  const startedMs = parseTime(run.created_at);
  if (startedMs === undefined) return "";
  const finishedMs = parseTime(run.finished_at) ?? (isFinalState(run.state) ? undefined : nowMs());
  return finishedMs === undefined ? "" : formatDuration(finishedMs - startedMs);
}
