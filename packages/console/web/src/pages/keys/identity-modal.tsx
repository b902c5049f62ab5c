import type { IdentityMessage } from "@kelp/wire/management";
import { Button, Group, Modal, Stack, Switch, TagsInput, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { putIdentity } from "../../api/store.ts";
import { ErrorNote } from "../../components/error-note.tsx";

const COMMON_ACTIONS = ["Admin", "Read", "Write", "List", "Tagging"];

/** Makes an identity, or changes what one may do. */
export function IdentityModal(props: { readonly identity: IdentityMessage | undefined }) {
  const { identity } = props;
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button
        variant={identity === undefined ? "filled" : "default"}
        onClick={open}
        data-testid={identity === undefined ? "create-identity" : "edit-identity"}
      >
        {identity === undefined ? "Create identity" : "Edit"}
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={identity === undefined ? "Create identity" : `Edit ${identity.name}`}
      >
        {isOpen && <IdentityForm identity={identity} onDone={close} />}
      </Modal>
    </>
  );
}

function IdentityForm(props: {
  readonly identity: IdentityMessage | undefined;
  readonly onDone: () => void;
}) {
  const { identity, onDone } = props;
  const client = useQueryClient();
  const [name, setName] = useState(identity?.name ?? "");
  const [actions, setActions] = useState<readonly string[]>(identity?.actions ?? []);
  const [isDisabled, setIsDisabled] = useState(identity?.is_disabled ?? false);
  const save = useMutation({
    mutationFn: () => putIdentity(name.trim(), { actions, is_disabled: isDisabled }),
    onSuccess: async () => {
      onDone();
      await client.invalidateQueries({ queryKey: ["identities"] });
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap="sm">
        {identity === undefined && (
          <TextInput
            label="Name"
            required
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
            data-testid="identity-name"
          />
        )}
        <TagsInput
          label="Actions"
          description="Such as Read, Write:my-bucket, List:my-bucket/prefix*. Press Enter after each."
          data={COMMON_ACTIONS}
          value={[...actions]}
          onChange={setActions}
          acceptValueOnBlur
          data-testid="identity-actions"
        />
        {identity !== undefined && (
          <Switch
            label="Disabled: its keys do not work"
            checked={isDisabled}
            onChange={(event) => setIsDisabled(event.currentTarget.checked)}
          />
        )}
        {save.isError && <ErrorNote error={save.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} data-testid="identity-submit">
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
