import type { BucketMessage } from "@kelp/wire/management";
import { Button, Group, Modal, NumberInput, Stack } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { setBucketQuota } from "../../api/store.ts";
import { ErrorNote } from "../../components/error-note.tsx";

const GIB_BYTES = 1024 ** 3;

/** Sets or lifts what a bucket may hold, in bytes and in objects. */
export function QuotaModal(props: {
  readonly bucket: BucketMessage;
  readonly onClose: () => void;
}) {
  const { bucket, onClose } = props;
  const client = useQueryClient();
  const [quotaGib, setQuotaGib] = useState<string | number>(
    bucket.quota_bytes === null ? "" : bucket.quota_bytes / GIB_BYTES,
  );
  const [quotaCount, setQuotaCount] = useState<string | number>(bucket.quota_objects ?? "");
  const save = useMutation({
    mutationFn: (quota: Parameters<typeof setBucketQuota>[1]) => setBucketQuota(bucket.name, quota),
    onSuccess: async () => {
      onClose();
      await client.invalidateQueries({ queryKey: ["buckets"] });
    },
  });
  const quota = {
    quota_bytes: positive(Math.round(Number(quotaGib) * GIB_BYTES)),
    quota_objects: positive(Math.round(Number(quotaCount))),
  };
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
        <NumberInput
          label="Most objects that it may hold"
          description="Leave empty for as many as fit."
          min={0}
          allowDecimal={false}
          value={quotaCount}
          onChange={setQuotaCount}
        />
        {save.isError && <ErrorNote error={save.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button loading={save.isPending} onClick={() => save.mutate(quota)}>
            Save
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function positive(value: number): number | null {
  return value > 0 ? value : null;
}
