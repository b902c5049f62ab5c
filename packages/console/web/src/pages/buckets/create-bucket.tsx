import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { createBucket } from "../../api/store.ts";
import { ErrorNote } from "../../components/error-note.tsx";

export function CreateBucket() {
  const client = useQueryClient();
  const [isOpen, { open, close }] = useDisclosure(false);
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: () => createBucket(name.trim()),
    onSuccess: async () => {
      close();
      setName("");
      await client.invalidateQueries({ queryKey: ["buckets"] });
    },
  });
  return (
    <>
      <Button leftSection={<IconPlus size={14} />} onClick={open} data-testid="create-bucket">
        Create bucket
      </Button>
      <Modal opened={isOpen} onClose={close} title="Create bucket">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate();
          }}
        >
          <Stack gap="sm">
            <TextInput
              label="Name"
              description="3 to 63 lower-case letters, digits, hyphens and dots"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              data-autofocus
              required
              data-testid="bucket-name"
            />
            {create.isError && <ErrorNote error={create.error} />}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={create.isPending} data-testid="bucket-submit">
                Create
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
