import { must } from "@kelp/base";
import type { ListUploadsPage, ListUploadsQuery } from "@kelp/wire";
import { type RowSource, rollUp } from "../../list/roll-up.ts";
import { UPLOAD_ID_ABOVE_ALL, UPLOAD_ID_BELOW_ALL } from "../../upload/upload-id.ts";
import { type UploadPlace, type UploadRow, type UploadRows, uploadOf } from "./upload-rows.ts";

/** A page of a tree's open uploads. */
export function listUploads(
  uploads: UploadRows,
  treeId: number,
  query: ListUploadsQuery,
): ListUploadsPage {
  const source: RowSource<UploadRow, UploadPlace> = {
    read: (start, end, count) => {
      const rows = uploads.range(treeId, start, end, count);
      return { rows, next: rows.length < count ? undefined : rows.at(-1) };
    },
    placeAt: (path) => ({ path, id: UPLOAD_ID_BELOW_ALL }),
    pathOf: (row) => row.path,
  };
  const after = query.afterPath?.toWellFormed();
  const page = rollUp(source, {
    prefix: (query.prefix ?? "").toWellFormed(),
    delimiter: query.delimiter === "" ? undefined : query.delimiter,
    after,
    afterPlace:
      after === undefined ? undefined : { path: after, id: query.afterId ?? UPLOAD_ID_ABOVE_ALL },
    limit: query.limit,
  });
  const last = page.isTruncated ? must(page.items.at(-1)) : undefined;
  return {
    items: page.items.map((item) =>
      item.kind === "row" ? { kind: "upload", upload: uploadOf(item.row) } : item,
    ),
    next: last === undefined ? undefined : nextOf(last),
  };
}

function nextOf(
  item:
    | { readonly kind: "row"; readonly row: UploadRow }
    | { readonly kind: "prefix"; readonly prefix: string },
): { readonly path: string; readonly id: string } {
  return item.kind === "row"
    ? { path: item.row.path, id: item.row.id }
    : { path: item.prefix, id: "" };
}
