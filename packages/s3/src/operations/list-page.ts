import { isoDate } from "@kelp/base/http";
import { type ListPage } from "@kelp/wire";
import { element, escapeXml } from "../xml/builder.ts";
import type { BucketCall } from "./operation.ts";
import { noSuchBucket } from "./refusals.ts";
import { percentEncode } from "../http/target.ts";

/** What both listings of objects share. This is hot: a page is a thousand keys. */

export interface PageQuery {
  readonly prefix: string;
  readonly delimiter: string;
  readonly after: string;
  readonly limit: number;
}

const NOTHING: ListPage = { items: [], next: undefined };

/** A page of the call's bucket; empty and final for a limit of 0, as S3 has it. */
export async function readPage(call: BucketCall, query: PageQuery): Promise<ListPage> {
  if (query.limit === 0) return NOTHING;
  const listed = await call.store.filer.listEntries(call.bucket, {
    limit: query.limit,
    ...(query.prefix !== "" && { prefix: query.prefix }),
    ...(query.delimiter !== "" && { delimiter: query.delimiter }),
    ...(query.after !== "" && { after: query.after }),
  });
  if (listed.kind === "refused") throw noSuchBucket(call.bucket);
  return listed.value;
}

/** `<Contents>` and then `<CommonPrefixes>`, each in byte order. `owner` is shown with each object when given. */
export function pageLines(
  page: ListPage,
  options: { readonly isEncoded: boolean; readonly owner: string | undefined },
): string {
  const { isEncoded, owner } = options;
  const tail =
    owner === undefined
      ? "</Size><StorageClass>STANDARD</StorageClass></Contents>"
      : `</Size><StorageClass>STANDARD</StorageClass>${ownerElement(owner)}</Contents>`;
  let contents = "";
  let prefixes = "";
  for (const item of page.items) {
    if (item.kind === "entry") {
      const key = isEncoded ? percentEncode(item.path) : escapeXml(item.path);
      contents +=
        "<Contents><Key>" +
        key +
        "</Key><LastModified>" +
        isoDate(item.modifiedMs) +
        "</LastModified><ETag>&quot;" +
        item.etag +
        "&quot;</ETag><Size>" +
        item.sizeBytes +
        tail;
    } else {
      const prefix = isEncoded ? percentEncode(item.prefix) : item.prefix;
      prefixes += `<CommonPrefixes>${element("Prefix", prefix)}</CommonPrefixes>`;
    }
  }
  return contents + prefixes;
}

function ownerElement(owner: string): string {
  return `<Owner>${element("ID", owner)}${element("DisplayName", owner)}</Owner>`;
}
