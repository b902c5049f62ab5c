import { SimpleGrid, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { fetchOverview } from "../../api/store.ts";
import { ErrorNote } from "../../components/error-note.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Doors } from "./doors.tsx";
import { Health } from "./health.tsx";
import { RecentRuns } from "./recent-runs.tsx";
import { UsageTiles } from "./usage-tiles.tsx";

const REFRESH_MS = 10_000;

export function OverviewPage() {
  const overview = useQuery({
    queryKey: ["overview"],
    queryFn: fetchOverview,
    refetchInterval: REFRESH_MS,
  });
  return (
    <div className="page" data-testid="overview-page">
      <PageHeader title="Overview" />
      {overview.isError && <ErrorNote error={overview.error} onRetry={() => overview.refetch()} />}
      {overview.data !== undefined && (
        <>
          <UsageTiles store={overview.data.store} />
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
            <Health overview={overview.data} />
            <Doors endpoints={overview.data.endpoints} />
          </SimpleGrid>
        </>
      )}
      <Stack gap={8}>
        <Title order={2}>Recent runs</Title>
        <RecentRuns />
      </Stack>
    </div>
  );
}
