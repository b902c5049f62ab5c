import { ActionIcon, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDots } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { RunMessage } from "../../api/pipeline-messages.ts";
import { type RunAction, actOnRun } from "../../api/pipelines.ts";
import { isFinalState } from "../../api/run-graph.ts";
import { errorSentence } from "../../components/error-sentence.ts";

const DONE: Readonly<Record<RunAction, string>> = {
  archive: "The run is archived.",
  unarchive: "The run is back in the list.",
  terminate: "The run is being stopped.",
  retry: "The failed steps run again.",
};

/** What can be done with a run, from a list. */
export function RunActions(props: { readonly run: RunMessage }) {
  const { run } = props;
  const navigate = useNavigate();
  const act = useRunAction(run.run_id);
  const isFinal = isFinalState(run.state);
  return (
    <Menu position="bottom-end" width={150}>
      <Menu.Target>
        <ActionIcon aria-label={`Actions of ${run.display_name ?? run.run_id}`}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          onClick={() => {
            navigate({ to: "/runs/new", search: { cloneFrom: run.run_id } }).catch(() => undefined);
          }}
        >
          Clone
        </Menu.Item>
        {!isFinal && <Menu.Item onClick={() => act.mutate("terminate")}>Stop</Menu.Item>}
        {run.state === "FAILED" && <Menu.Item onClick={() => act.mutate("retry")}>Retry</Menu.Item>}
        {run.storage_state === "ARCHIVED" ? (
          <Menu.Item onClick={() => act.mutate("unarchive")}>Restore</Menu.Item>
        ) : (
          <Menu.Item onClick={() => act.mutate("archive")}>Archive</Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Does one thing to a run, says so, and lets every page that shows it ask anew. */
export function useRunAction(runId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (action: RunAction) => actOnRun(runId, action),
    onSuccess: async (_answer, action) => {
      notifications.show({ message: DONE[action] });
      await client.invalidateQueries({ queryKey: ["runs"] });
      await client.invalidateQueries({ queryKey: ["run", runId] });
    },
    onError: (error) => notifications.show({ color: "red", message: errorSentence(error) }),
  });
}
