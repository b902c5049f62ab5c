import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { PipelineMessage } from "../../api/pipeline-messages.ts";
import { fetchPipelines } from "../../api/pipelines.ts";
import { type Column, DataTable, type Sort } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { PageLink } from "../../components/links.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { usePages } from "../../components/use-pages.ts";
import { UploadPipeline } from "./upload-pipeline.tsx";

const PAGE_SIZE = 25;

const COLUMNS: readonly Column<PipelineMessage>[] = [
  {
    id: "name",
    title: "Name",
    sortField: "name",
    cell: (pipeline) => (
      <PageLink
        to="/pipelines/details/$pipelineId"
        params={{ pipelineId: pipeline.pipeline_id }}
        fw={500}
      >
        {pipeline.display_name || pipeline.name || pipeline.pipeline_id}
      </PageLink>
    ),
  },
  { id: "description", title: "Description", cell: (pipeline) => pipeline.description ?? "" },
  {
    id: "created",
    title: "Uploaded",
    width: 140,
    isNumeric: true,
    sortField: "created_at",
    cell: (pipeline) => <TimeText at={pipeline.created_at} />,
  },
];

export function PipelinesPage() {
  const [name, setName] = useState("");
  const [settledName] = useDebouncedValue(name, 250);
  const [sort, setSort] = useState<Sort>({ field: "created_at", direction: "desc" });
  const pages = usePages();
  const sortBy = `${sort.field} ${sort.direction}`;
  const pipelines = useQuery({
    queryKey: ["pipelines", { name: settledName, sortBy, page: pages.token }],
    queryFn: () =>
      fetchPipelines({
        pageSize: PAGE_SIZE,
        pageToken: pages.token,
        sortBy,
        predicates:
          settledName === ""
            ? []
            : [{ operation: "IS_SUBSTRING", key: "name", string_value: settledName }],
      }),
    placeholderData: keepPreviousData,
  });
  return (
    <div className="page" data-testid="pipelines-page">
      <PageHeader title="Pipelines">
        <UploadPipeline />
      </PageHeader>
      <TextInput
        aria-label="Filter by name"
        placeholder="Filter by name"
        leftSection={<IconSearch size={14} />}
        value={name}
        onChange={(event) => {
          setName(event.currentTarget.value);
          pages.reset();
        }}
        w={240}
      />
      <DataTable
        label="Pipelines"
        columns={COLUMNS}
        rows={pipelines.data?.items}
        rowKey={(pipeline) => pipeline.pipeline_id}
        error={pipelines.error}
        empty={
          settledName === "" ? (
            <EmptyState title="No pipelines yet">
              Compile one with the kfp SDK and upload the YAML file here.
            </EmptyState>
          ) : (
            <EmptyState title="No pipeline fits the filter">Change or clear it.</EmptyState>
          )
        }
        sort={sort}
        onSort={(next) => {
          setSort(next);
          pages.reset();
        }}
        footer={
          <Pager
            pages={pages}
            nextToken={pipelines.data?.nextToken}
            totalSize={pipelines.data?.totalSize ?? 0}
            noun="pipeline"
          />
        }
      />
    </div>
  );
}
