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
    width: 150,
    isNumeric: true,
    cell: ({ object_count, quota_objects }) => (
      <Used used={object_count} quota={quota_objects} format={formatCount} of="objects" />
    ),
  },
  {
    id: "size",
    title: "Size",
    width: 170,
    isNumeric: true,
    cell: ({ size_bytes, quota_bytes }) => (
      <Used used={size_bytes} quota={quota_bytes} format={formatSize} of="size" />
    ),
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

/** How much there is, and of how much where there is a quota. */
function Used(props: {
  readonly used: number;
  readonly quota: number | null;
  readonly format: (value: number) => string;
  readonly of: string;
}) {
  const { used, quota, format } = props;
  if (quota === null) return format(used);
  const percent = quota === 0 ? 100 : Math.min(100, (used / quota) * 100);
  return (
    <>
      {format(used)}
      <Text span c="dimmed" fz="xs">
        {" "}
        of {format(quota)}
      </Text>
      <Progress
        value={percent}
        size={4}
        mt={3}
        color={percent > 90 ? "red" : "kelp"}
        aria-label={`Quota of ${props.of} used`}
      />
    </>
  );
}
