import { ActionIcon, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDots } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { deleteObject, downloadAddress } from "../../api/store.ts";
import { saveFromAddress } from "../../browser/save.ts";
import { ConfirmModal } from "../../components/confirm-modal.tsx";

export function ObjectActions(props: {
  readonly bucket: string;
  readonly objectKey: string;
  readonly onDeleted?: () => void;
}) {
  const { bucket, objectKey } = props;
  const client = useQueryClient();
  const [isDeleting, deleting] = useDisclosure(false);
  const name = objectKey.slice(objectKey.lastIndexOf("/") + 1);
  return (
    <>
      <Menu position="bottom-end" width={150}>
        <Menu.Target>
          <ActionIcon aria-label={`Actions of ${name}`} data-testid="object-actions">
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            onClick={() => saveFromAddress(downloadAddress(bucket, objectKey), name)}
            data-testid="download-object"
          >
            Download
          </Menu.Item>
          <Menu.Item color="red" onClick={deleting.open} data-testid="delete-object">
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ConfirmModal
        isOpen={isDeleting}
        onClose={deleting.close}
        title="Delete object"
        question={`${objectKey} will be gone. This cannot be undone.`}
        confirmLabel="Delete object"
        onConfirm={async () => {
          await deleteObject(bucket, objectKey);
          await client.invalidateQueries({ queryKey: ["objects", bucket] });
          props.onDeleted?.();
        }}
      />
    </>
  );
}
