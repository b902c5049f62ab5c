import type { BucketMessage } from "@kelp/wire/management";
import { Button, Group, Modal, NumberInput, Stack } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { setBucketQuota } from "../../api/store.ts";
import { ErrorNote } from "../../components/error-note.tsx";

const GIB_BYTES = 1024 ** 3;

/** Sets or lifts what a bucket may hold. */
export function QuotaModal(props: {
  readonly bucket: BucketMessage;
  readonly onClose: () => void;
}) {
  const { bucket, onClose } = props;
  const client = useQueryClient();
  const [quotaGib, setQuotaGib] = useState<string | number>(
    bucket.quota_bytes === null ? "" : bucket.quota_bytes / GIB_BYTES,
  );
  const save = useMutation({
    mutationFn: (quotaBytes: number | null) => setBucketQuota(bucket.name, quotaBytes),
    onSuccess: async () => {
      onClose();
      await client.invalidateQueries({ queryKey: ["buckets"] });
    },
  });
  const quotaBytes = Math.round(Number(quotaGib) * GIB_BYTES);
  return (
    <Modal opened onClose={onClose} title={`Quota of ${bucket.name}`}>
      <Stack gap="sm">
        <NumberInput
          label="Most that the bucket may hold, in GiB"
          description="Writes beyond it are refused. Leave empty for no quota."
          min={0}
          decimalScale={3}
          value={quotaGib}
          onChange={setQuotaGib}
          data-autofocus
        />
        {save.isError && <ErrorNote error={save.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            loading={save.isPending}
            onClick={() => save.mutate(quotaBytes > 0 ? quotaBytes : null)}
          >
            Save
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
