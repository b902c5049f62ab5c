import { Text } from "@mantine/core";
import type { RocPoint } from "./classification.ts";

const SIDE = 240;

export function RocCurve(props: { readonly points: readonly RocPoint[] }) {
  const line = props.points
    .filter((point) => Number.isFinite(point.recall) && Number.isFinite(point.falsePositiveRate))
    .toSorted(
      (left, right) =>
        left.falsePositiveRate - right.falsePositiveRate || left.recall - right.recall,
    )
    .map((point) => `${point.falsePositiveRate * SIDE},${(1 - point.recall) * SIDE}`)
    .join(" ");
  return (
    <figure style={{ margin: 0 }}>
      <svg
        viewBox={`-4 -4 ${SIDE + 8} ${SIDE + 8}`}
        width={SIDE}
        role="img"
        aria-label="ROC curve: recall over false positive rate"
      >
        <rect width={SIDE} height={SIDE} fill="none" stroke="var(--kelp-line)" />
        <line x1={0} y1={SIDE} x2={SIDE} y2={0} stroke="var(--kelp-line)" strokeDasharray="4 4" />
        <polyline
          points={line}
          fill="none"
          stroke="var(--mantine-primary-color-filled)"
          strokeWidth={2}
        />
      </svg>
      <Text component="figcaption" size="xs" c="dimmed">
        ROC curve: recall upwards, false positive rate to the right
      </Text>
    </figure>
  );
}
