import type { RunState } from "@kelp/wire/management";
import { Group, Text } from "@mantine/core";
import { StateIcon } from "./state-icon.tsx";
import { STATE_LABELS } from "./state-labels.ts";

/** State of a run or task: shape, colour and word, so that none of them stands alone. */
export function StateBadge(props: { readonly state: RunState | undefined }) {
  return (
    <Group gap={6} wrap="nowrap" data-testid="run-state" data-state={props.state ?? "PENDING"}>
      <StateIcon state={props.state} />
      <Text span fz="inherit" style={{ whiteSpace: "nowrap" }}>
        {STATE_LABELS[props.state ?? "PENDING"]}
      </Text>
    </Group>
  );
}
