import { Group, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** Title of a page, what stands beside it, and its actions. */
export function PageHeader(props: {
  readonly title: ReactNode;
  readonly beside?: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <Group justify="space-between" align="center" gap="sm" mih={30}>
      <Group gap="sm" style={{ minWidth: 0 }}>
        <Title order={1} style={{ overflowWrap: "anywhere" }}>
          {props.title}
        </Title>
        {props.beside}
      </Group>
      <Group gap="xs">{props.children}</Group>
    </Group>
  );
}
