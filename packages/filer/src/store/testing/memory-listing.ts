import type {
  ListItem,
  ListPage,
  ListQuery,
  ListUploadsPage,
  ListUploadsQuery,
  UploadId,
} from "@kelp/wire";
import { compareText } from "../../list/text-order.ts";
import { type MemoryRow, type MemoryUpload, chunkCountOf } from "./memory-state.ts";

/** A page by reading the port's words literally: all items, in order, those after the place, as many as are wanted. */
export function listRows(rows: readonly MemoryRow[], query: ListQuery): ListPage {
  const items = new Map<string, ListItem>();
  for (const row of rows) {
    const found = itemText(row.path, query);
    if (found === undefined) continue;
    const { text, isPrefix } = found;
    items.set(text, isPrefix ? { kind: "prefix", prefix: text } : itemOf(row));
  }
  const { after, limit } = query;
  const found = [...items]
    .filter(([text]) => after === undefined || compareText(text, after) > 0)
    .sort(([left], [right]) => compareText(left, right));
  const page = found.slice(0, limit);
  return {
    items: page.map(([, item]) => item),
    next: found.length > limit ? page.at(-1)?.[0] : undefined,
  };
}

/** The path itself, or the prefix that it is rolled up into; `undefined` when it is not listed. */
function itemText(
  path: string,
  { prefix = "", delimiter = "" }: { readonly prefix?: string; readonly delimiter?: string },
): { readonly text: string; readonly isPrefix: boolean } | undefined {
  if (!path.startsWith(prefix)) return undefined;
  const at = delimiter === "" ? -1 : path.indexOf(delimiter, prefix.length);
  if (at < 0) return { text: path, isPrefix: false };
  return { text: path.slice(0, at + delimiter.length), isPrefix: true };
}

function itemOf(row: MemoryRow): ListItem {
  const { path, sizeBytes, modifiedMs, etag } = row;
  return {
    kind: "entry",
    path,
    sizeBytes,
    modifiedMs,
    etag,
    chunkCount: chunkCountOf(row.held.content),
  };
}

export function listMemoryUploads(
  uploads: readonly MemoryUpload[],
  query: ListUploadsQuery,
): ListUploadsPage {
  const { afterPath, afterId = "g", limit } = query;
  const isAfter = (path: string, id: string): boolean => {
    const order = afterPath === undefined ? 1 : compareText(path, afterPath);
    return order > 0 || (order === 0 && id > afterId);
  };
  const items = new Map<
    string,
    { path: string; id: string; item: ListUploadsPage["items"][number] }
  >();
  for (const upload of uploads) {
    const found = itemText(upload.path, query);
    if (found === undefined) continue;
    const { text, isPrefix } = found;
    if (!isAfter(text, isPrefix ? "" : upload.id)) continue;
    const { parts: _parts, id, ...rest } = upload;
    items.set(isPrefix ? text : `${text}\n${id}`, {
      path: text,
      id: isPrefix ? "" : id,
      item: isPrefix
        ? { kind: "prefix", prefix: text }
        : { kind: "upload", upload: { ...rest, id: id as UploadId } },
    });
  }
  const listed = [...items.values()].sort(
    (left, right) => compareText(left.path, right.path) || compareText(left.id, right.id),
  );
  const page = listed.slice(0, limit);
  const last = listed.length > limit ? page.at(-1) : undefined;
  return {
    items: page.map(({ item }) => item),
    next: last && { path: last.path, id: last.id },
  };
}
