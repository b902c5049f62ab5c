import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** Nothing is here yet: says so, and what to do next. */
export function EmptyState(props: {
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <Stack align="center" gap={6} py={44} px="md" data-testid="empty-state">
      <Text fw={600}>{props.title}</Text>
      {props.children !== undefined && (
        <Text c="dimmed" size="sm" ta="center" maw={460} component="div">
          {props.children}
        </Text>
      )}
      {props.action !== undefined && <div style={{ marginTop: 8 }}>{props.action}</div>}
    </Stack>
  );
}
