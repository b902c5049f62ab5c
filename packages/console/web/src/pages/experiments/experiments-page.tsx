import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ExperimentMessage } from "../../api/pipeline-messages.ts";
import { fetchExperiments } from "../../api/pipelines.ts";
import { type Column, DataTable, type Sort } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { PageLink } from "../../components/links.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { usePages } from "../../components/use-pages.ts";
import { CreateExperiment } from "./create-experiment.tsx";

const PAGE_SIZE = 25;

const COLUMNS: readonly Column<ExperimentMessage>[] = [
  {
    id: "name",
    title: "Name",
    sortField: "name",
    cell: (experiment) => (
      <PageLink
        to="/experiments/details/$experimentId"
        params={{ experimentId: experiment.experiment_id }}
        fw={500}
      >
        {experiment.display_name || experiment.experiment_id}
      </PageLink>
    ),
  },
  { id: "description", title: "Description", cell: (experiment) => experiment.description ?? "" },
  {
    id: "state",
    title: "",
    width: 90,
    cell: (experiment) => (experiment.storage_state === "ARCHIVED" ? "Archived" : ""),
  },
  {
    id: "last-run",
    title: "Last run",
    width: 140,
    isNumeric: true,
    sortField: "last_run_created_at",
    cell: (experiment) => <TimeText at={experiment.last_run_created_at} />,
  },
  {
    id: "created",
    title: "Created",
    width: 140,
    isNumeric: true,
    sortField: "created_at",
    cell: (experiment) => <TimeText at={experiment.created_at} />,
  },
];

export function ExperimentsPage() {
  const [sort, setSort] = useState<Sort>({ field: "created_at", direction: "desc" });
  const pages = usePages();
  const sortBy = `${sort.field} ${sort.direction}`;
  const experiments = useQuery({
    queryKey: ["experiments", sortBy, pages.token],
    queryFn: () => fetchExperiments({ pageSize: PAGE_SIZE, pageToken: pages.token, sortBy }),
    placeholderData: keepPreviousData,
  });
  return (
    <div className="page" data-testid="experiments-page">
      <PageHeader title="Experiments">
        <CreateExperiment />
      </PageHeader>
      <DataTable
        label="Experiments"
        columns={COLUMNS}
        rows={experiments.data?.items}
        rowKey={(experiment) => experiment.experiment_id}
        error={experiments.error}
        empty={
          <EmptyState title="No experiments yet">
            Experiments group runs. One named Default appears with the first run.
          </EmptyState>
        }
        sort={sort}
        onSort={(next) => {
          setSort(next);
          pages.reset();
        }}
        footer={
          <Pager
            pages={pages}
            nextToken={experiments.data?.nextToken}
            totalSize={experiments.data?.totalSize ?? 0}
            noun="experiment"
          />
        }
      />
    </div>
  );
}
