import type { BucketMessage } from "@kelp/wire/management";
import { ActionIcon, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDots } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { deleteBucket } from "../../api/store.ts";
import { ConfirmModal } from "../../components/confirm-modal.tsx";
import { QuotaModal } from "./quota-modal.tsx";
import { SnapshotsModal } from "./snapshots-modal.tsx";

export function BucketActions(props: { readonly bucket: BucketMessage }) {
  const { bucket } = props;
  const client = useQueryClient();
  const [isDeleting, deleting] = useDisclosure(false);
  const [isLimiting, limiting] = useDisclosure(false);
  const [isFreezing, freezing] = useDisclosure(false);
  return (
    <>
      <Menu position="bottom-end" width={150}>
        <Menu.Target>
          <ActionIcon aria-label={`Actions of ${bucket.name}`} data-testid="bucket-actions">
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={limiting.open}>Set quota</Menu.Item>
          <Menu.Item onClick={freezing.open}>Snapshots</Menu.Item>
          <Menu.Item color="red" onClick={deleting.open} data-testid="delete-bucket">
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isLimiting && <QuotaModal bucket={bucket} onClose={limiting.close} />}
      {isFreezing && <SnapshotsModal bucket={bucket.name} onClose={freezing.close} />}
      <ConfirmModal
        isOpen={isDeleting}
        onClose={deleting.close}
        title={`Delete bucket ${bucket.name}`}
        question="Only an empty bucket can be deleted. This cannot be undone."
        confirmLabel="Delete bucket"
        onConfirm={async () => {
          await deleteBucket(bucket.name);
          await client.invalidateQueries({ queryKey: ["buckets"] });
        }}
      />
    </>
  );
}
