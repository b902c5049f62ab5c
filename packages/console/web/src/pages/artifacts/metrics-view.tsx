import type { ArtifactMessage } from "@kelp/wire/management";
import { Stack } from "@mantine/core";
import { ParameterList } from "../run/parameter-list.tsx";
import { ConfusionMatrix } from "./confusion-matrix.tsx";
import { parseClassification } from "./classification.ts";
import { RocCurve } from "./roc-curve.tsx";

const METRIC_TYPES: ReadonlySet<string> = new Set([
  "system.Metrics",
  "system.ClassificationMetrics",
  "system.SlicedClassificationMetrics",
]);

/** Metrics stand in an artifact's metadata; there is most often no object at its address. */
export function hasMetrics(artifact: ArtifactMessage): boolean {
  return METRIC_TYPES.has(artifact.type) && Object.keys(artifact.metadata).length > 0;
}

export function MetricsView(props: { readonly artifact: ArtifactMessage }) {
  const { curve, matrix, rest } = parseClassification(props.artifact.metadata);
  return (
    <Stack gap="sm" p={curve === undefined && matrix === undefined ? 0 : "sm"}>
      {matrix !== undefined && <ConfusionMatrix matrix={matrix} />}
      {curve !== undefined && <RocCurve points={curve} />}
      {Object.keys(rest).length > 0 && <ParameterList parameters={rest} empty="" />}
    </Stack>
  );
}
