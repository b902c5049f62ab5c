import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { RunMessage } from "../../api/pipeline-messages.ts";
import { fetchVersion } from "../../api/pipelines.ts";
import { ErrorNote } from "../../components/error-note.tsx";
import { SpecText } from "../../components/spec-text.tsx";

/** The specification that a run follows: its own, or that of the version it refers to. */
export function RunSpec(props: { readonly run: RunMessage }) {
  const spec = useQuery({
    queryKey: ["run", props.run.run_id, "spec"],
    queryFn: () => fetchSpec(props.run),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (spec.isError) return <ErrorNote error={spec.error} />;
  if (spec.data === undefined) return <Loader size="sm" aria-label="Loading the specification" />;
  return <SpecText spec={spec.data} />;
}

export async function fetchSpec(run: RunMessage): Promise<unknown> {
  if (run.pipeline_spec !== undefined) return run.pipeline_spec;
  const pipelineId = run.pipeline_version_reference?.pipeline_id;
  const versionId = run.pipeline_version_reference?.pipeline_version_id;
  if (pipelineId === undefined || versionId === undefined) {
    throw new Error("This run does not say which specification it follows");
  }
  return (await fetchVersion(pipelineId, versionId)).pipeline_spec ?? {};
}
