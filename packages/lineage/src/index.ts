/** Who made which artifact and who used it. */
export { LineageError, type LineageErrorCode } from "./errors.ts";
export { type Lineage, openLineage } from "./lineage.ts";
export { artifactLineageMessage, artifactMessage } from "./messages.ts";
export {
  type Artifact,
  type ArtifactLineage,
  type ArtifactPage,
  type ArtifactUse,
  CONSUMERS_MAX,
  type Execution,
  type ListArtifacts,
  type Metadata,
  type NewArtifact,
  type NewUse,
  PAGE_SIZE_MAX,
} from "./model.ts";
