import { Button, Group, Text } from "@mantine/core";
import { plural } from "../format/size.ts";
import type { PagePosition } from "./use-pages.ts";

/** Backward and forward through a list that is known one page at a time. */
export function Pager(props: {
  readonly pages: PagePosition;
  readonly nextToken: string | undefined;
  readonly totalSize: number;
  readonly noun: string;
}) {
  const { pages, nextToken } = props;
  return (
    <Group
      justify="space-between"
      px="sm"
      py={6}
      style={{ borderTop: "1px solid var(--kelp-line)" }}
    >
      <Text size="xs" c="dimmed">
        {plural(props.totalSize, props.noun)}
      </Text>
      {(pages.canGoBack || nextToken !== undefined) && (
        <Group gap={6}>
          <Button variant="default" disabled={!pages.canGoBack} onClick={pages.back}>
            Previous
          </Button>
          <Button
            variant="default"
            disabled={nextToken === undefined}
            onClick={() => nextToken !== undefined && pages.forward(nextToken)}
          >
            Next
          </Button>
        </Group>
      )}
    </Group>
  );
}
