import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { errorSentence } from "./error-sentence.ts";

/** A failure as a sentence, with a way to try again where that can help. */
export function ErrorNote(props: { readonly error: unknown; readonly onRetry?: () => unknown }) {
  const { onRetry } = props;
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      icon={<IconAlertTriangle size={18} />}
      data-testid="error-note"
    >
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{errorSentence(props.error)}</Text>
        {onRetry !== undefined && (
          <Button variant="default" onClick={() => onRetry()}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
}
