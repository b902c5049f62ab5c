import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { actOnExperiment, fetchExperiment } from "../../api/pipelines.ts";
import { ErrorNote } from "../../components/error-note.tsx";
import { errorSentence } from "../../components/error-sentence.ts";
import { PageButton, PageLink } from "../../components/links.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { RunList } from "../runs/run-list.tsx";

const route = getRouteApi("/experiments/details/$experimentId");

/** An experiment and its runs. */
export function ExperimentPage() {
  const { experimentId } = route.useParams();
  const client = useQueryClient();
  const experiment = useQuery({
    queryKey: ["experiment", experimentId],
    queryFn: () => fetchExperiment(experimentId),
  });
  const isArchived = experiment.data?.storage_state === "ARCHIVED";
  const act = useMutation({
    mutationFn: () => actOnExperiment(experimentId, isArchived ? "unarchive" : "archive"),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["experiment", experimentId] });
      await client.invalidateQueries({ queryKey: ["experiments"] });
      await client.invalidateQueries({ queryKey: ["runs"] });
    },
    onError: (error) => notifications.show({ color: "red", message: errorSentence(error) }),
  });
  if (experiment.isError) return <ErrorNote error={experiment.error} />;
  return (
    <div className="page" data-testid="experiment-page">
      <PageHeader
        title={
          <Group gap={6}>
            <PageLink to="/experiments">Experiments</PageLink>
            <Text span c="dimmed" fz="inherit" aria-hidden>
              /
            </Text>
            {experiment.data?.display_name || experimentId}
          </Group>
        }
      >
        <Button variant="default" loading={act.isPending} onClick={() => act.mutate()}>
          {isArchived ? "Restore" : "Archive"}
        </Button>
        <PageButton to="/runs/new" search={{ experimentId }}>
          New run
        </PageButton>
      </PageHeader>
      {experiment.data?.description !== undefined && (
        <Text size="sm" c="dimmed">
          {experiment.data.description}
        </Text>
      )}
      <RunList storage={isArchived ? "ARCHIVED" : "AVAILABLE"} experimentId={experimentId} />
    </div>
  );
}
