import type { RunGraphMessage } from "@kelp/wire/management";
import { Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { RunMessage } from "../../api/pipeline-messages.ts";
import { fetchExperiment } from "../../api/pipelines.ts";
import { CopyText } from "../../components/copy-text.tsx";
import { KeyValues } from "../../components/key-values.tsx";
import { PageLink } from "../../components/links.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { ParameterList } from "./parameter-list.tsx";

/** What a run was started with, and what it belongs to. */
export function RunDetails(props: {
  readonly run: RunMessage;
  readonly graph: RunGraphMessage | undefined;
}) {
  const { run, graph } = props;
  const root = graph?.tasks.find((task) => task.kind === "root");
  return (
    <Stack gap="md" maw={860}>
      <section className="panel" style={{ padding: 14 }}>
        <KeyValues
          entries={[
            ["Run id", <CopyText key="id" text={run.run_id} />],
            ["Description", run.description || "–"],
            ["Started", <TimeText key="created" at={run.created_at} />],
            ["Finished", <TimeText key="finished" at={run.finished_at} />],
            ["Pipeline", <PipelineOfRun key="pipeline" run={run} />],
            ["Experiment", <ExperimentOfRun key="experiment" id={run.experiment_id} />],
            ["Pipeline root", run.runtime_config?.pipeline_root || "–"],
          ]}
        />
      </section>
      <section>
        <Title order={2} mb={6}>
          Parameters
        </Title>
        <div className="panel">
          <ParameterList
            parameters={root?.inputs.parameters ?? run.runtime_config?.parameters ?? {}}
            empty="This run takes no parameters."
          />
        </div>
      </section>
      {root !== undefined && Object.keys(root.outputs.parameters).length > 0 && (
        <section>
          <Title order={2} mb={6}>
            Outputs
          </Title>
          <div className="panel">
            <ParameterList parameters={root.outputs.parameters} empty="" />
          </div>
        </section>
      )}
    </Stack>
  );
}

function PipelineOfRun(props: { readonly run: RunMessage }) {
  const pipelineId = props.run.pipeline_version_reference?.pipeline_id;
  const versionId = props.run.pipeline_version_reference?.pipeline_version_id;
  if (pipelineId === undefined) return "Given with the run";
  return versionId === undefined ? (
    <PageLink to="/pipelines/details/$pipelineId" params={{ pipelineId }}>
      {pipelineId}
    </PageLink>
  ) : (
    <PageLink
      to="/pipelines/details/$pipelineId/version/$versionId"
      params={{ pipelineId, versionId }}
    >
      {versionId}
    </PageLink>
  );
}

function ExperimentOfRun(props: { readonly id: string | undefined }) {
  const { id } = props;
  const experiment = useQuery({
    queryKey: ["experiment", id],
    queryFn: () => fetchExperiment(id ?? ""),
    enabled: id !== undefined,
  });
  if (id === undefined) return "–";
  return (
    <PageLink to="/experiments/details/$experimentId" params={{ experimentId: id }}>
      {experiment.data?.display_name ?? id}
    </PageLink>
  );
}
