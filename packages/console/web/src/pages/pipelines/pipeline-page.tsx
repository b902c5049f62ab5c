import { Group, Select, Tabs, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { PipelineVersionMessage } from "../../api/pipeline-messages.ts";
import { fetchPipeline, fetchVersion, fetchVersions } from "../../api/pipelines.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { PageButton, PageLink } from "../../components/links.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { PipelineMenu } from "./pipeline-menu.tsx";
import { UploadVersion } from "./upload-pipeline.tsx";
import { VersionView } from "./version-view.tsx";

const VERSION_COUNT_MAX = 200;

/** A pipeline in one of its versions: the one of the address, or the newest. */
export function PipelinePage() {
  const { pipelineId = "", versionId } = useParams({ strict: false });
  const navigate = useNavigate();
  const pipeline = useQuery({
    queryKey: ["pipeline", pipelineId],
    queryFn: () => fetchPipeline(pipelineId),
  });
  const versions = useQuery({
    queryKey: ["versions", pipelineId],
    queryFn: () =>
      fetchVersions(pipelineId, { pageSize: VERSION_COUNT_MAX, sortBy: "created_at desc" }),
  });
  const shownId = versionId ?? versions.data?.items[0]?.pipeline_version_id;
  const version = useQuery({
    queryKey: ["version", pipelineId, shownId],
    queryFn: () => fetchVersion(pipelineId, shownId ?? ""),
    enabled: shownId !== undefined,
  });
  const error = pipeline.error ?? versions.error ?? version.error;
  if (error !== null) return <ErrorNote error={error} />;
  return (
    <div className="page page-fill" data-testid="pipeline-page">
      <PageHeader
        title={
          <Group gap={6}>
            <PageLink to="/pipelines">Pipelines</PageLink>
            <Text span c="dimmed" fz="inherit" aria-hidden>
              /
            </Text>
            {pipeline.data?.display_name || pipeline.data?.name || pipelineId}
          </Group>
        }
        beside={
          <Select
            aria-label="Version"
            w={240}
            allowDeselect={false}
            data={(versions.data?.items ?? []).map((item) => ({
              value: item.pipeline_version_id,
              label: item.display_name || item.name || item.pipeline_version_id,
            }))}
            value={shownId ?? null}
            onChange={(value) => {
              if (value === null) return;
              navigate({
                to: "/pipelines/details/$pipelineId/version/$versionId",
                params: { pipelineId, versionId: value },
              }).catch(() => undefined);
            }}
            data-testid="version-select"
          />
        }
      >
        <UploadVersion pipelineId={pipelineId} />
        {shownId !== undefined && (
          <PageButton
            to="/runs/new"
            search={{ pipelineId, versionId: shownId }}
            data-testid="create-run"
          >
            Create run
          </PageButton>
        )}
        <PipelineMenu pipelineId={pipelineId} versionId={shownId} />
      </PageHeader>
      {pipeline.data?.description !== undefined && (
        <Text size="sm" c="dimmed">
          {pipeline.data.description}
        </Text>
      )}
      {versions.data?.items.length === 0 && versionId === undefined && (
        <EmptyState title="This pipeline has no version">Upload one to run it.</EmptyState>
      )}
      {version.data !== undefined && <VersionTabs version={version.data} />}
    </div>
  );
}

function VersionTabs(props: { readonly version: PipelineVersionMessage }) {
  const [tab, setTab] = useState<string | null>("graph");
  return (
    <Tabs value={tab} onChange={setTab} keepMounted={false} className="run-tabs">
      <Tabs.List>
        <Tabs.Tab value="graph">Graph</Tabs.Tab>
        <Tabs.Tab value="spec" data-testid="spec-tab">
          Specification
        </Tabs.Tab>
        <Tabs.Tab value="details">Details</Tabs.Tab>
      </Tabs.List>
      <VersionView version={props.version} />
    </Tabs>
  );
}
