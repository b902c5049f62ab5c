import {
  type AsyncBuffer,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { gunzipSync } from "fflate";
import { decompress as decompressZstd } from "fzstd";
import { formatSize } from "../format/size.ts";
import { readBytes } from "./read-part.ts";

const ROW_COUNT_MAX = 100;
const COLUMN_COUNT_MAX = 50;
/** One page of a column is read whole, so a file with huge row groups could pull a lot: this is where it stops. */
const READ_BYTES_MAX = 64 * 1024 * 1024;

export interface ParquetTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly rowCount: number;
}

/** The first rows of a Parquet file, read by ranges: the footer and the pages that hold those rows. */
export async function readParquet(address: string, sizeBytes: number): Promise<ParquetTable> {
  const file = boundedFile(address, sizeBytes);
  const metadata = await parquetMetadataAsync(file);
  const columns = parquetSchema(metadata)
    .children.map((child) => child.element.name)
    .slice(0, COLUMN_COUNT_MAX);
  const rowCount = Number(metadata.num_rows);
  const objects = await parquetReadObjects({
    file,
    metadata,
    columns: [...columns],
    rowStart: 0,
    rowEnd: Math.min(ROW_COUNT_MAX, rowCount),
    // With the snappy reader that hyparquet brings, these are what common writers use. None needs WebAssembly, which
    // this page's policy refuses; a file with another compression says so in its error.
    compressors: {
      GZIP: (input) => gunzipSync(input),
      ZSTD: (input) => decompressZstd(input),
    },
  });
  const rows = objects.map((object) => columns.map((column) => cellText(object[column])));
  return { columns, rows, rowCount };
}

function boundedFile(address: string, sizeBytes: number): AsyncBuffer {
  let readBytesTotal = 0;
  return {
    byteLength: sizeBytes,
    async slice(start, end = sizeBytes) {
      const from = start < 0 ? Math.max(0, sizeBytes + start) : start;
      readBytesTotal += end - from;
      if (readBytesTotal > READ_BYTES_MAX) {
        throw new Error(
          `The first rows of this file need more than ${formatSize(READ_BYTES_MAX)} to be read. Download it instead`,
        );
      }
      return readBytes(address, from, end);
    },
  };
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "bigint" ? part.toString() : part,
  );
}
