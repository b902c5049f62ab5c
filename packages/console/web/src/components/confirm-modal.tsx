import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { ErrorNote } from "./error-note.tsx";

/** Asks before something that cannot be undone, and shows what failed. */
export function ConfirmModal(props: {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly question: string;
  readonly confirmLabel: string;
  readonly onConfirm: () => Promise<unknown>;
}) {
  const action = useMutation({ mutationFn: props.onConfirm });
  const close = (): void => {
    action.reset();
    props.onClose();
  };
  return (
    <Modal opened={props.isOpen} onClose={close} title={props.title}>
      <Stack gap="sm">
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          {props.question}
        </Text>
        {action.isError && <ErrorNote error={action.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            Cancel
          </Button>
          <Button
            color="red"
            loading={action.isPending}
            onClick={() => action.mutate(undefined, { onSuccess: close })}
            data-testid="confirm"
          >
            {props.confirmLabel}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
