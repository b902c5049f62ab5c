import { Button, Group, Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { createExperiment } from "../../api/pipelines.ts";
import { ErrorNote } from "../../components/error-note.tsx";

export function CreateExperiment() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [isOpen, { open, close }] = useDisclosure(false);
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const create = useMutation({
    mutationFn: () =>
      createExperiment({
        display_name: name.trim(),
        ...(description.trim() === "" ? {} : { description: description.trim() }),
      }),
    onSuccess: async (experiment) => {
      close();
      await client.invalidateQueries({ queryKey: ["experiments"] });
      await navigate({
        to: "/experiments/details/$experimentId",
        params: { experimentId: experiment.experiment_id },
      });
    },
  });
  return (
    <>
      <Button leftSection={<IconPlus size={14} />} onClick={open} data-testid="create-experiment">
        Create experiment
      </Button>
      <Modal opened={isOpen} onClose={close} title="Create experiment">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate();
          }}
        >
          <Stack gap="sm">
            <TextInput
              label="Name"
              required
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              data-autofocus
              data-testid="experiment-name"
            />
            <Textarea
              label="Description"
              autosize
              maxRows={6}
              value={description}
              onChange={(event) => setDescription(event.currentTarget.value)}
            />
            {create.isError && <ErrorNote error={create.error} />}
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={create.isPending}>
                Create
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
