import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ErrorNote } from "../components/error-note.tsx";
import { formatCount } from "../format/size.ts";
import { CellTable } from "./cell-table.tsx";
import { readParquet } from "./parquet.ts";

export function ParquetPreview(props: { readonly address: string; readonly sizeBytes: number }) {
  const table = useQuery({
    queryKey: ["preview", props.address, "parquet"],
    queryFn: () => readParquet(props.address, props.sizeBytes),
    staleTime: 30_000,
  });
  if (table.isError) return <ErrorNote error={table.error} />;
  if (table.data === undefined) return <Loader size="sm" m="md" aria-label="Loading preview" />;
  const { columns, rows, rowCount } = table.data;
  return (
    <CellTable
      header={columns}
      rows={rows}
      note={`${formatCount(rows.length)} of ${formatCount(rowCount)} rows`}
    />
  );
}
