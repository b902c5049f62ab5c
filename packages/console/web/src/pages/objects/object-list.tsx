import type { ObjectItemMessage } from "@kelp/wire/management";
import { Button, Center } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { fetchObjects } from "../../api/store.ts";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { objectColumns } from "./object-columns.tsx";

const PAGE_SIZE = 200;

/** Folders and objects right under a prefix, in the order of the store. */
export function ObjectList(props: { readonly bucket: string; readonly prefix: string }) {
  const { bucket, prefix } = props;
  const pages = useInfiniteQuery({
    queryKey: ["objects", bucket, prefix],
    queryFn: ({ pageParam }) =>
      fetchObjects(bucket, { prefix, delimiter: "/", after: pageParam, limit: PAGE_SIZE }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const items = pages.data?.pages.flatMap((page) => page.items);
  return (
    <DataTable
      label="Objects"
      columns={objectColumns(bucket, prefix)}
      rows={items}
      rowKey={itemKey}
      error={pages.error}
      empty={
        <EmptyState title={prefix === "" ? "This bucket is empty" : "Nothing is in this folder"}>
          Drop files here, use the button above, or write with any S3 client.
        </EmptyState>
      }
      footer={
        pages.hasNextPage && (
          <Center p="xs">
            <Button
              variant="default"
              loading={pages.isFetchingNextPage}
              onClick={() => {
                pages.fetchNextPage().catch(() => undefined);
              }}
              data-testid="load-more"
            >
              Load more
            </Button>
          </Center>
        )
      }
    />
  );
}

function itemKey(item: ObjectItemMessage): string {
  return item.kind === "prefix" ? `prefix:${item.prefix}` : `object:${item.key}`;
}
