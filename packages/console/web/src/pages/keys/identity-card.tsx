import type { IdentityMessage, NewKeyMessage } from "@kelp/wire/management";
import { Badge, Button, Group, Table, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { createKey, deleteIdentity } from "../../api/store.ts";
import { ConfirmModal } from "../../components/confirm-modal.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { IdentityModal } from "./identity-modal.tsx";
import { KeyRow } from "./key-row.tsx";

export function IdentityCard(props: {
  readonly identity: IdentityMessage;
  readonly onNewKey: (key: NewKeyMessage) => void;
}) {
  const { identity } = props;
  const client = useQueryClient();
  const [isDeleting, deleting] = useDisclosure(false);
  const create = useMutation({
    mutationFn: () => createKey(identity.name),
    onSuccess: async (key) => {
      props.onNewKey(key);
      await client.invalidateQueries({ queryKey: ["identities"] });
    },
  });
  return (
    <section className="panel" data-testid="identity" data-name={identity.name}>
      <Group justify="space-between" px={14} py={10} align="flex-start">
        <div>
          <Group gap={8}>
            <Title order={2}>{identity.name}</Title>
            {identity.is_disabled && (
              <Badge size="xs" color="orange" variant="light" tt="none">
                Disabled
              </Badge>
            )}
          </Group>
          <Group gap={4} mt={4}>
            {identity.actions.length === 0 && (
              <Text size="xs" c="dimmed">
                May do nothing by its actions
              </Text>
            )}
            {identity.actions.map((action) => (
              <Badge key={action} size="sm" variant="light" color="gray" tt="none" fw={500}>
                {action}
              </Badge>
            ))}
          </Group>
        </div>
        <Group gap={6}>
          <Button
            variant="default"
            loading={create.isPending}
            onClick={() => create.mutate()}
            data-testid="create-key"
          >
            Create key
          </Button>
          <IdentityModal identity={identity} />
          <Button variant="default" c="red" onClick={deleting.open}>
            Delete
          </Button>
        </Group>
      </Group>
      {create.isError && <ErrorNote error={create.error} />}
      {identity.keys.length > 0 && (
        <Table.ScrollContainer minWidth={500} type="native">
          <table className="data-table" aria-label={`Keys of ${identity.name}`}>
            <tbody>
              {identity.keys.map((key) => (
                <KeyRow key={key.access_key} identityName={identity.name} accessKey={key} />
              ))}
            </tbody>
          </table>
        </Table.ScrollContainer>
      )}
      <ConfirmModal
        isOpen={isDeleting}
        onClose={deleting.close}
        title={`Delete identity ${identity.name}`}
        question="Its keys stop working at once. This cannot be undone."
        confirmLabel="Delete identity"
        onConfirm={async () => {
          await deleteIdentity(identity.name);
          await client.invalidateQueries({ queryKey: ["identities"] });
        }}
      />
    </section>
  );
}
