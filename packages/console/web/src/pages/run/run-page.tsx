import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { fetchRun } from "../../api/pipelines.ts";
import { fetchRunGraph, isFinalState } from "../../api/run-graph.ts";
import { ErrorNote } from "../../components/error-note.tsx";
import { RunDetails } from "./run-details.tsx";
import { RunGraph } from "./run-graph.tsx";
import { RunHeader } from "./run-header.tsx";
import { RunSpec } from "./run-spec.tsx";

const LIVE_REFRESH_MS = 1000;

const route = getRouteApi("/runs/details/$runId");

export function RunPage() {
  const { runId } = route.useParams();
  const { task, tab = "graph" } = route.useSearch();
  const navigate = route.useNavigate();
  const run = useQuery({
    queryKey: ["run", runId, "run"],
    queryFn: () => fetchRun(runId),
    refetchInterval: (query) => (isFinalState(query.state.data?.state) ? false : LIVE_REFRESH_MS),
  });
  const graph = useQuery({
    queryKey: ["run", runId, "graph"],
    queryFn: () => fetchRunGraph(runId),
    refetchInterval: (query) => (isFinalState(query.state.data?.state) ? false : LIVE_REFRESH_MS),
  });
  if (run.isError) return <ErrorNote error={run.error} onRetry={() => run.refetch()} />;
  const show = (next: { readonly task?: string; readonly tab?: string }): void => {
    navigate({ search: next, replace: true }).catch(() => undefined);
  };
  return (
    <div className="page page-fill" data-testid="run-page">
      <RunHeader runId={runId} run={run.data} />
      <Tabs
        value={tab}
        onChange={(value) => show(value === null || value === "graph" ? {} : { tab: value })}
        keepMounted={false}
        className="run-tabs"
      >
        <Tabs.List>
          <Tabs.Tab value="graph">Graph</Tabs.Tab>
          <Tabs.Tab value="details">Details</Tabs.Tab>
          <Tabs.Tab value="spec">Specification</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="graph" className="run-tab-panel">
          <RunGraph
            graph={graph.data}
            error={graph.error}
            selectedId={task}
            onSelect={(id) => show(id === undefined ? {} : { task: id })}
          />
        </Tabs.Panel>
        <Tabs.Panel value="details" pt="md">
          {run.data !== undefined && <RunDetails run={run.data} graph={graph.data} />}
        </Tabs.Panel>
        <Tabs.Panel value="spec" pt="md">
          {run.data !== undefined && <RunSpec run={run.data} />}
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}
