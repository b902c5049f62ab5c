import { Loader, Select, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { fetchPipelines, fetchVersions } from "../../api/pipelines.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { PageButton } from "../../components/links.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { RunForm } from "./run-form.tsx";
import { fetchRunSource } from "./run-source.ts";

const CHOICE_COUNT_MAX = 200;

const route = getRouteApi("/runs/new");

/** Starts a run of a pipeline version, or another run like an earlier one. */
export function NewRunPage() {
  const search = route.useSearch();
  const source = useQuery({
    queryKey: ["run-source", search],
    queryFn: () => fetchRunSource(search),
    enabled: search.versionId !== undefined || search.cloneFrom !== undefined,
    staleTime: 60_000,
  });
  return (
    <div className="page" data-testid="new-run-page">
      <PageHeader title={search.cloneFrom === undefined ? "New run" : "Clone run"} />
      <Stack gap="md" maw={680}>
        {search.cloneFrom === undefined && <PipelineChoice />}
        {source.isError && <ErrorNote error={source.error} />}
        {source.isLoading && <Loader size="sm" aria-label="Loading the pipeline" />}
        {source.data !== undefined && (
          <RunForm
            key={JSON.stringify(search)}
            source={source.data}
            experimentId={search.experimentId}
          />
        )}
      </Stack>
    </div>
  );
}

function PipelineChoice() {
  const { pipelineId, versionId, ...rest } = route.useSearch();
  const navigate = route.useNavigate();
  const pipelines = useQuery({
    queryKey: ["pipelines", "choices"],
    queryFn: () => fetchPipelines({ pageSize: CHOICE_COUNT_MAX, sortBy: "created_at desc" }),
  });
  const versions = useQuery({
    queryKey: ["versions", pipelineId, "choices"],
    queryFn: () =>
      fetchVersions(pipelineId ?? "", { pageSize: CHOICE_COUNT_MAX, sortBy: "created_at desc" }),
    enabled: pipelineId !== undefined,
  });
  const choose = (next: { readonly pipelineId?: string; readonly versionId?: string }): void => {
    navigate({ search: { ...rest, ...next }, replace: true }).catch(() => undefined);
  };
  if (pipelines.data?.items.length === 0) {
    return (
      <EmptyState
        title="There is no pipeline to run"
        action={<PageButton to="/pipelines">Upload a pipeline</PageButton>}
      >
        Compile one with the kfp SDK and upload the YAML file.
      </EmptyState>
    );
  }
  return (
    <>
      {pipelines.isError && <ErrorNote error={pipelines.error} />}
      <Select
        label="Pipeline"
        placeholder="Choose a pipeline"
        searchable
        data={(pipelines.data?.items ?? []).map((pipeline) => ({
          value: pipeline.pipeline_id,
          label: pipeline.display_name || pipeline.name || pipeline.pipeline_id,
        }))}
        value={pipelineId ?? null}
        onChange={(value) => choose(value === null ? {} : { pipelineId: value })}
        data-testid="choose-pipeline"
      />
      {pipelineId !== undefined && (
        <Select
          label="Version"
          placeholder="Choose a version"
          searchable
          data={(versions.data?.items ?? []).map((version) => ({
            value: version.pipeline_version_id,
            label: version.display_name || version.name || version.pipeline_version_id,
          }))}
          value={versionId ?? null}
          onChange={(value) =>
            choose(value === null ? { pipelineId } : { pipelineId, versionId: value })
          }
          data-testid="choose-version"
        />
      )}
    </>
  );
}
