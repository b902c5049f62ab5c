import type { ArtifactMessage } from "@kelp/wire/management";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchArtifacts } from "../../api/run-graph.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { PageLink } from "../../components/links.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { usePages } from "../../components/use-pages.ts";

const PAGE_SIZE = 50;

const COLUMNS: readonly Column<ArtifactMessage>[] = [
  {
    id: "name",
    title: "Name",
    width: 180,
    cell: (artifact) => (
      <PageLink to="/artifacts/$artifactId" params={{ artifactId: artifact.artifact_id }} fw={500}>
        {artifact.name || artifact.artifact_id}
      </PageLink>
    ),
  },
  { id: "type", title: "Type", width: 190, cell: (artifact) => artifact.type },
  {
    id: "uri",
    title: "Address",
    cell: (artifact) => <span className="mono">{artifact.uri}</span>,
  },
  {
    id: "created",
    title: "Created",
    width: 130,
    isNumeric: true,
    cell: (artifact) => <TimeText at={artifact.created_at} />,
  },
];

export function ArtifactsPage() {
  const pages = usePages();
  const artifacts = useQuery({
    queryKey: ["artifacts", pages.token],
    queryFn: () => fetchArtifacts({ pageSize: PAGE_SIZE, pageToken: pages.token }),
    placeholderData: keepPreviousData,
  });
  return (
    <div className="page" data-testid="artifacts-page">
      <PageHeader title="Artifacts" />
      <DataTable
        label="Artifacts"
        columns={COLUMNS}
        rows={artifacts.data?.items}
        rowKey={(artifact) => artifact.artifact_id}
        error={artifacts.error}
        empty={
          <EmptyState title="No artifacts yet">
            Steps of a run leave them: models, data sets, metrics, pages. Start a run to see some.
          </EmptyState>
        }
        footer={
          <Pager
            pages={pages}
            nextToken={artifacts.data?.nextToken}
            totalSize={artifacts.data?.totalSize ?? 0}
            noun="artifact"
          />
        }
      />
    </div>
  );
}
