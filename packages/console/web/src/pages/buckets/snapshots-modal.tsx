import type { SnapshotMessage } from "@kelp/wire/management";
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { createSnapshot, deleteSnapshot, fetchSnapshots } from "../../api/store.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { formatCount, formatSize } from "../../format/size.ts";

/** The snapshots of a bucket: lists, makes and deletes them. */
export function SnapshotsModal(props: { readonly bucket: string; readonly onClose: () => void }) {
  const { bucket, onClose } = props;
  const client = useQueryClient();
  const queryKey = ["snapshots", bucket];
  const snapshots = useQuery({ queryKey, queryFn: () => fetchSnapshots(bucket) });
  const [name, setName] = useState("");
  const onSuccess = (): Promise<void> => client.invalidateQueries({ queryKey });
  const create = useMutation({
    mutationFn: () => createSnapshot(bucket, name),
    onSuccess: async () => {
      setName("");
      await onSuccess();
    },
  });
  const remove = useMutation({
    mutationFn: (snapshot: string) => deleteSnapshot(bucket, snapshot),
    onSuccess,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={`Snapshots of ${bucket}`} size="lg">
      <Stack gap="sm" data-testid="snapshots">
        <Text c="dimmed" fz="sm">
          S3 clients read one as the bucket {bucket}@NAME.
        </Text>
        <form onSubmit={submit}>
          <Group align="end" gap="xs">
            <TextInput
              label="Name of a new snapshot"
              required
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              data-autofocus
            />
            <Button type="submit" loading={create.isPending}>
              Make snapshot
            </Button>
          </Group>
        </form>
        {create.isError && <ErrorNote error={create.error} />}
        {remove.isError && <ErrorNote error={remove.error} />}
        <DataTable
          label="Snapshots"
          columns={columnsWith((snapshot) => remove.mutate(snapshot), remove.isPending)}
          rows={snapshots.data}
          rowKey={(snapshot) => snapshot.name}
          error={snapshots.error}
          empty={
            <EmptyState title="No snapshots">
              One keeps the bucket as it is now, and takes no space until objects change.
            </EmptyState>
          }
        />
      </Stack>
    </Modal>
  );
}

function columnsWith(
  onDelete: (name: string) => void,
  isDeleting: boolean,
): readonly Column<SnapshotMessage>[] {
  return [
    { id: "name", title: "Name", cell: ({ name }) => name },
    {
      id: "objects",
      title: "Objects",
      width: 90,
      isNumeric: true,
      cell: ({ object_count }) => formatCount(object_count),
    },
    {
      id: "size",
      title: "Size",
      width: 100,
      isNumeric: true,
      cell: ({ size_bytes }) => formatSize(size_bytes),
    },
    {
      id: "made",
      title: "Made",
      width: 110,
      isNumeric: true,
      cell: ({ created_ms }) => <TimeText at={created_ms} />,
    },
    {
      id: "actions",
      title: "",
      width: 90,
      cell: ({ name }) => (
        <Button
          size="compact-xs"
          variant="subtle"
          color="red"
          disabled={isDeleting}
          aria-label={`Delete snapshot ${name}`}
          onClick={() => onDelete(name)}
        >
          Delete
        </Button>
      ),
    },
  ];
}
