import type { ArtifactLineageMessage, ArtifactUseMessage } from "@kelp/wire/management";
import { Group, Stack, Text } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import { PageLink } from "../../components/links.tsx";
import { StateIcon } from "../../components/state-icon.tsx";
import { TimeText } from "../../components/time-text.tsx";

/** Left the task that made an artifact, in the middle the artifact, right those that used it. */
export function Lineage(props: { readonly lineage: ArtifactLineageMessage }) {
  const { artifact, producer, consumers } = props.lineage;
  return (
    <Group gap="sm" align="center" data-testid="lineage">
      <Stack gap={6}>
        {producer === null ? <Nobody text="Not made by a task" /> : <UseCard use={producer} />}
      </Stack>
      <IconArrowRight size={18} aria-hidden color="var(--kelp-quiet)" />
      <div
        className="panel"
        style={{ padding: "8px 12px", borderColor: "var(--mantine-primary-color-filled)" }}
      >
        <Text size="sm" fw={600}>
          {artifact.name}
        </Text>
      </div>
      <IconArrowRight size={18} aria-hidden color="var(--kelp-quiet)" />
      <Stack gap={6}>
        {consumers.length === 0 && <Nobody text="No task has used it" />}
        {consumers.map((use) => (
          <UseCard key={`${use.task_id}-${use.name}`} use={use} />
        ))}
      </Stack>
    </Group>
  );
}

function UseCard(props: { readonly use: ArtifactUseMessage }) {
  const { use } = props;
  return (
    <div className="panel" style={{ padding: "8px 12px" }}>
      <Group gap={6} wrap="nowrap">
        <StateIcon state={use.state} />
        <PageLink
          to="/runs/details/$runId"
          params={{ runId: use.run_id }}
          search={{ task: use.task_id }}
          fz="sm"
          fw={500}
        >
          {use.task_name}
        </PageLink>
        <Text size="xs" c="dimmed">
          as {use.name}
        </Text>
      </Group>
      <Text size="xs" c="dimmed" component="div">
        in {use.run_name}, <TimeText at={use.at} />
      </Text>
    </div>
  );
}

function Nobody(props: { readonly text: string }) {
  return (
    <Text size="sm" c="dimmed">
      {props.text}
    </Text>
  );
}
