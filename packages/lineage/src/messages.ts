import type {
  ArtifactLineageMessage,
  ArtifactMessage,
  ArtifactUseMessage,
} from "@kelp/wire/management";
import type { Artifact, ArtifactLineage, ArtifactUse } from "./model.ts";

/** The wire form of an artifact. */
export function artifactMessage(artifact: Artifact): ArtifactMessage {
  return {
    artifact_id: String(artifact.artifactId),
    name: artifact.name,
    type: artifact.type,
    uri: artifact.uri,
    metadata: artifact.metadata,
    created_at: new Date(artifact.createdMs).toISOString(),
  };
}

/** The wire form of an artifact with its producer and consumers. */
export function artifactLineageMessage(lineage: ArtifactLineage): ArtifactLineageMessage {
  return {
    artifact: artifactMessage(lineage.artifact),
    producer: lineage.producer === undefined ? null : useMessage(lineage.producer),
    consumers: lineage.consumers.map(useMessage),
  };
}

function useMessage(use: ArtifactUse): ArtifactUseMessage {
  return {
    run_id: use.runId,
    run_name: use.runName,
    task_id: use.taskId,
    task_name: use.taskName,
    name: use.name,
    state: use.state,
    at: new Date(use.atMs).toISOString(),
  };
}
