import type { IdentityMessage } from "@kelp/wire/management";
import { Button, Group, Switch } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { deleteKey, setKeyActive } from "../../api/store.ts";
import { ConfirmModal } from "../../components/confirm-modal.tsx";
import { CopyText } from "../../components/copy-text.tsx";
import { errorSentence } from "../../components/error-sentence.ts";
import { TimeText } from "../../components/time-text.tsx";

export function KeyRow(props: {
  readonly identityName: string;
  readonly accessKey: IdentityMessage["keys"][number];
}) {
  const { identityName, accessKey } = props;
  const client = useQueryClient();
  const [isDeleting, deleting] = useDisclosure(false);
  const change = useMutation({
    mutationFn: (isActive: boolean) => setKeyActive(identityName, accessKey.access_key, isActive),
    onSuccess: () => client.invalidateQueries({ queryKey: ["identities"] }),
    onError: (error) => notifications.show({ color: "red", message: errorSentence(error) }),
  });
  return (
    <tr data-testid="key-row">
      <td>
        <CopyText text={accessKey.access_key} />
      </td>
      <td className="numeric" style={{ width: 140 }}>
        <TimeText at={accessKey.created_ms} />
      </td>
      <td style={{ width: 210 }}>
        <Group gap="sm" justify="flex-end" wrap="nowrap">
          <Switch
            label="Active"
            checked={accessKey.is_active}
            disabled={change.isPending}
            onChange={(event) => change.mutate(event.currentTarget.checked)}
          />
          <Button
            variant="subtle"
            color="red"
            size="compact-xs"
            onClick={deleting.open}
            data-testid="delete-key"
          >
            Delete
          </Button>
        </Group>
        <ConfirmModal
          isOpen={isDeleting}
          onClose={deleting.close}
          title="Delete access key"
          question={`${accessKey.access_key} stops working at once. This cannot be undone.`}
          confirmLabel="Delete key"
          onConfirm={async () => {
            await deleteKey(identityName, accessKey.access_key);
            await client.invalidateQueries({ queryKey: ["identities"] });
          }}
        />
      </td>
    </tr>
  );
}
