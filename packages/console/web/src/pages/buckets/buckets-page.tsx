import type { BucketMessage } from "@kelp/wire/management";
import { Progress, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { fetchBuckets } from "../../api/store.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { PageLink } from "../../components/links.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { formatCount, formatSize } from "../../format/size.ts";
import { BucketActions } from "./bucket-actions.tsx";
import { CreateBucket } from "./create-bucket.tsx";

const REFRESH_MS = 15_000;

const COLUMNS: readonly Column<BucketMessage>[] = [
  {
    id: "name",
    title: "Name",
    cell: (bucket) => (
      <PageLink to="/buckets/$bucket" params={{ bucket: bucket.name }} fw={500}>
        {bucket.name}
      </PageLink>
    ),
  },
  {
    id: "objects",
    title: "Objects",
    width: 110,
    isNumeric: true,
    cell: (bucket) => formatCount(bucket.object_count),
  },
  {
    id: "size",
    title: "Size",
    width: 170,
    isNumeric: true,
    cell: (bucket) => <BucketSize bucket={bucket} />,
  },
  { id: "owner", title: "Owner", width: 140, cell: (bucket) => bucket.owner },
  {
    id: "created",
    title: "Created",
    width: 130,
    isNumeric: true,
    cell: (bucket) => <TimeText at={bucket.created_ms} />,
  },
  { id: "actions", title: "", width: 50, cell: (bucket) => <BucketActions bucket={bucket} /> },
];

export function BucketsPage() {
  const buckets = useQuery({
    queryKey: ["buckets"],
    queryFn: fetchBuckets,
    refetchInterval: REFRESH_MS,
  });
  return (
    <div className="page" data-testid="buckets-page">
      <PageHeader title="Buckets">
        <CreateBucket />
      </PageHeader>
      <DataTable
        label="Buckets"
        columns={COLUMNS}
        rows={buckets.data}
        rowKey={(bucket) => bucket.name}
        error={buckets.error}
        empty={
          <EmptyState title="No buckets that you can see">
            Create one here or with any S3 client. Buckets that you may not list are not shown.
          </EmptyState>
        }
      />
    </div>
  );
}

function BucketSize(props: { readonly bucket: BucketMessage }) {
  const { size_bytes, quota_bytes } = props.bucket;
  if (quota_bytes === null) return formatSize(size_bytes);
  const percent = Math.min(100, (size_bytes / quota_bytes) * 100);
  return (
    <>
      {formatSize(size_bytes)}
      <Text span c="dimmed" fz="xs">
        {" "}
        of {formatSize(quota_bytes)}
      </Text>
      <Progress
        value={percent}
        size={4}
        mt={3}
        color={percent > 90 ? "red" : "kelp"}
        aria-label="Quota used"
      />
    </>
  );
}
