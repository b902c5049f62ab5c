import { ActionIcon, CopyButton, Group } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

/** A text that people paste elsewhere: an address, a key, an id. */
export function CopyText(props: { readonly text: string; readonly testId?: string }) {
  return (
    <Group gap={4} wrap="nowrap" display="inline-flex" style={{ maxWidth: "100%" }}>
      <span className="mono" style={{ overflowWrap: "anywhere" }} data-testid={props.testId}>
        {props.text}
      </span>
      <CopyButton value={props.text}>
        {({ copied, copy }) => (
          <ActionIcon
            size="xs"
            onClick={copy}
            aria-label={copied ? "Copied" : `Copy ${props.text}`}
          >
            {copied ? <IconCheck size={13} /> : <IconCopy size={13} />}
          </ActionIcon>
        )}
      </CopyButton>
    </Group>
  );
}
