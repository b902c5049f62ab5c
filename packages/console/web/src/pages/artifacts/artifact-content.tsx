import type { ArtifactMessage } from "@kelp/wire/management";
import { Loader, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ApiError } from "../../api/http.ts";
import { fetchObjectInfo, objectAddress } from "../../api/store.ts";
import { ErrorNote } from "../../components/error-note.tsx";
import { ObjectPreview } from "../../preview/object-preview.tsx";
import { ObjectList } from "../objects/object-list.tsx";
import { MetricsView, hasMetrics } from "./metrics-view.tsx";
import { storeAddress } from "./store-address.ts";

/** What an artifact holds: its metrics, the object at its address, or the folder of objects there. */
export function ArtifactContent(props: { readonly artifact: ArtifactMessage }) {
  const { artifact } = props;
  if (hasMetrics(artifact)) {
    return (
      <div data-testid="artifact-preview" data-kind="metrics">
        <MetricsView artifact={artifact} />
      </div>
    );
  }
  const place = storeAddress(artifact.uri);
  return place === undefined ? (
    <Text size="sm" c="dimmed" p="md">
      This artifact lies outside this store, at {artifact.uri}.
    </Text>
  ) : (
    <StoredContent artifact={artifact} bucket={place.bucket} objectKey={place.key} />
  );
}

function StoredContent(props: {
  readonly artifact: ArtifactMessage;
  readonly bucket: string;
  readonly objectKey: string;
}) {
  const { artifact, bucket, objectKey } = props;
  const info = useQuery({
    queryKey: ["object", bucket, objectKey, "or-none"],
    queryFn: () => objectInfoOrNull(bucket, objectKey),
  });
  if (info.isError) return <ErrorNote error={info.error} />;
  if (info.isPending) return <Loader size="sm" m="md" aria-label="Loading artifact" />;
  if (info.data === null) {
    // A step that wrote a folder leaves objects under the address, and none at it.
    return (
      <ObjectList bucket={bucket} prefix={objectKey.endsWith("/") ? objectKey : `${objectKey}/`} />
    );
  }
  return (
    <ObjectPreview
      subject={{
        address: objectAddress(bucket, objectKey),
        key: objectKey,
        contentType: info.data.content_type,
        sizeBytes: info.data.size_bytes,
        artifactType: artifact.type,
      }}
    />
  );
}

async function objectInfoOrNull(bucket: string, key: string) {
  try {
    return await fetchObjectInfo(bucket, key);
  } catch (error) {
    if (error instanceof ApiError && error.code === "no-such-object") return null;
    throw error;
  }
}
