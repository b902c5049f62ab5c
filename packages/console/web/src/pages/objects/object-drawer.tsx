import type { ObjectInfoMessage } from "@kelp/wire/management";
import { Button, Drawer, Group, Loader, Stack, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { downloadAddress, fetchObjectInfo, objectAddress } from "../../api/store.ts";
import { saveFromAddress } from "../../browser/save.ts";
import { CopyText } from "../../components/copy-text.tsx";
import { ErrorNote } from "../../components/error-note.tsx";
import { KeyValues } from "../../components/key-values.tsx";
import { formatCount, formatSize } from "../../format/size.ts";
import { formatDateTime } from "../../format/time.ts";
import { ObjectPreview } from "../../preview/object-preview.tsx";
import { ObjectActions } from "./object-actions.tsx";

/** One object: what the store says of it and what is in it. */
export function ObjectDrawer(props: {
  readonly bucket: string;
  readonly objectKey: string;
  readonly onClose: () => void;
}) {
  const { bucket, objectKey, onClose } = props;
  const info = useQuery({
    queryKey: ["object", bucket, objectKey],
    queryFn: () => fetchObjectInfo(bucket, objectKey),
  });
  const name = objectKey.slice(objectKey.lastIndexOf("/") + 1) || objectKey;
  return (
    <Drawer opened onClose={onClose} position="right" size="xl" title={name}>
      {info.isError && <ErrorNote error={info.error} />}
      {info.isPending && <Loader size="sm" aria-label="Loading object" />}
      {info.data !== undefined && (
        <Stack gap="md" data-testid="object-drawer">
          <Group gap="xs">
            <Button
              leftSection={<IconDownload size={14} />}
              onClick={() => saveFromAddress(downloadAddress(bucket, objectKey), name)}
            >
              Download
            </Button>
            <ObjectActions bucket={bucket} objectKey={objectKey} onDeleted={onClose} />
          </Group>
          <ObjectFacts bucket={bucket} info={info.data} />
          <Title order={2}>Preview</Title>
          <div className="panel" style={{ overflow: "hidden" }}>
            <ObjectPreview
              subject={{
                address: objectAddress(bucket, objectKey),
                key: objectKey,
                contentType: info.data.content_type,
                sizeBytes: info.data.size_bytes,
              }}
            />
          </div>
        </Stack>
      )}
    </Drawer>
  );
}

function ObjectFacts(props: { readonly bucket: string; readonly info: ObjectInfoMessage }) {
  const { bucket, info } = props;
  return (
    <KeyValues
      entries={[
        ["Address", <CopyText key="address" text={`s3://${bucket}/${info.key}`} />],
        ["Size", `${formatSize(info.size_bytes)} (${formatCount(info.size_bytes)} bytes)`],
        ["Modified", formatDateTime(info.modified_ms)],
        ["Content type", info.content_type],
        [
          "ETag",
          <span key="etag" className="mono">
            {info.etag}
          </span>,
        ],
        ...Object.entries(info.user_metadata).map(
          ([name, value]) => [`x-amz-meta-${name}`, value] as const,
        ),
      ]}
    />
  );
}
