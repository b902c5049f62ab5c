import type { NewKeyMessage } from "@kelp/wire/management";
import { Alert, Button, Group, Modal, Stack } from "@mantine/core";
import { CopyText } from "../../components/copy-text.tsx";
import { KeyValues } from "../../components/key-values.tsx";

/** The one time that a secret is shown. */
export function NewKeyModal(props: {
  readonly newKey: NewKeyMessage;
  readonly onClose: () => void;
}) {
  return (
    <Modal
      opened
      onClose={props.onClose}
      title="New access key"
      closeOnClickOutside={false}
      size="lg"
    >
      <Stack gap="sm" data-testid="new-key">
        <Alert color="orange" variant="light">
          Copy the secret now. It is not shown again.
        </Alert>
        <KeyValues
          entries={[
            [
              "Access key",
              <CopyText key="id" text={props.newKey.access_key} testId="new-access-key" />,
            ],
            [
              "Secret key",
              <CopyText key="secret" text={props.newKey.secret_key} testId="new-secret-key" />,
            ],
          ]}
        />
        <Group justify="flex-end">
          <Button onClick={props.onClose}>Done</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
