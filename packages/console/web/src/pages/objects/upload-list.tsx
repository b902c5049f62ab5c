import { ActionIcon, Button, Group, Progress, ScrollArea, Text } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { formatSize } from "../../format/size.ts";
import type { UploadState } from "./upload-queue.ts";
import type { Uploads } from "./use-uploads.ts";

export function UploadList(props: { readonly uploads: Uploads }) {
  const { items, stop, clear } = props.uploads;
  if (items.length === 0) return null;
  const doneCount = items.filter((item) => item.phase.kind === "done").length;
  return (
    <section className="panel" aria-label="Uploads" data-testid="uploads">
      <Group justify="space-between" px="sm" py={6}>
        <Text size="sm" fw={600} aria-live="polite">
          {doneCount} of {items.length} uploaded
        </Text>
        <Button variant="subtle" color="gray" onClick={clear}>
          Hide finished
        </Button>
      </Group>
      <ScrollArea.Autosize mah={180}>
        {items.map((item) => (
          <UploadRow key={item.id} item={item} onStop={() => stop(item.id)} />
        ))}
      </ScrollArea.Autosize>
    </section>
  );
}

function UploadRow(props: { readonly item: UploadState; readonly onStop: () => void }) {
  const { item } = props;
  const { phase } = item;
  const isOpen = phase.kind === "waiting" || phase.kind === "sending";
  return (
    <Group px="sm" py={4} gap="sm" wrap="nowrap" data-testid="upload-row" data-phase={phase.kind}>
      <Text size="sm" truncate style={{ flex: 1 }} title={item.key}>
        {item.file.name}
      </Text>
      {phase.kind === "failed" ? (
        <Text size="xs" c="red">
          {phase.message}
        </Text>
      ) : (
        <Progress
          value={percent(item)}
          w={160}
          size="sm"
          aria-label={`Progress of ${item.file.name}`}
        />
      )}
      <Text size="xs" c="dimmed" w={76} ta="right">
        {formatSize(item.file.size)}
      </Text>
      <ActionIcon
        size="xs"
        aria-label={`Stop ${item.file.name}`}
        onClick={props.onStop}
        style={{ visibility: isOpen ? "visible" : "hidden" }}
      >
        <IconX size={13} />
      </ActionIcon>
    </Group>
  );
}

function percent(item: UploadState): number {
  if (item.phase.kind === "done") return 100;
  if (item.phase.kind !== "sending" || item.file.size === 0) return 0;
  return (item.phase.sentBytes / item.file.size) * 100;
}
