import type { OverviewMessage } from "@kelp/wire/management";
import { Group, List, Text, Title } from "@mantine/core";
import { IconAlertTriangleFilled, IconCircleCheckFilled } from "@tabler/icons-react";
import { nowMs } from "../../browser/time.ts";
import { STATE_COLORS } from "../../components/state-labels.ts";
import { formatDuration } from "../../format/time.ts";

export function Health(props: { readonly overview: OverviewMessage }) {
  const { problems, version, started_ms } = props.overview;
  const isWell = problems.length === 0;
  return (
    <section className="panel" style={{ padding: 14 }} data-testid="health">
      <Group gap={8} mb={6}>
        {isWell ? (
          <IconCircleCheckFilled size={18} color={STATE_COLORS.SUCCEEDED} aria-hidden />
        ) : (
          <IconAlertTriangleFilled size={18} color={STATE_COLORS.FAILED} aria-hidden />
        )}
        <Title order={2}>{isWell ? "All is well" : "Needs attention"}</Title>
      </Group>
      {!isWell && (
        <List size="sm" mb={6}>
          {problems.map((problem) => (
            <List.Item key={problem}>{problem}</List.Item>
          ))}
        </List>
      )}
      <Text size="sm" c="dimmed">
        Version {version}, running for {formatDuration(nowMs() - started_ms)}
      </Text>
    </section>
  );
}
