import {
  CONTENT_POLICY,
  type HttpReply,
  type HttpRequest,
  type ReplyHeaders,
  contentDisposition,
  contentReply,
  httpDate,
  jsonReply,
  overrideHeaders,
} from "@kelp/base/http";
import type { Entry, Filer } from "@kelp/wire";
import { addAttributeHeaders } from "./attributes.ts";
import { fileMetadataJson } from "./entry-json.ts";
import { type FilePath, nameOf } from "./filer-path.ts";

/** GET and HEAD of a file. Throws `HttpError` 400, 412, 416. */
export function readFile(
  filer: Filer,
  request: HttpRequest,
  { path, entry }: { readonly path: FilePath; readonly entry: Entry },
): HttpReply {
  const { query } = request;
  if (query.isTrue("metadata")) return jsonReply(request, 200, fileMetadataJson(path.text, entry));
  return contentReply(
    request,
    {
      etag: entry.etag,
      modifiedMs: entry.modifiedMs,
      sizeBytes: entry.sizeBytes,
      read: (range) => filer.readFile(entry, range, { pieces: "lent" }),
    },
    describe(request, path, entry),
  );
}

function describe(request: HttpRequest, path: FilePath, entry: Entry): ReplyHeaders {
  const name = nameOf(path.text);
  const headers: ReplyHeaders = {
    ETag: `"${entry.etag}"`,
    "Last-Modified": httpDate(entry.modifiedMs),
    "Content-Security-Policy": CONTENT_POLICY,
  };
  addAttributeHeaders(headers, entry.attributes, name);
  if (request.query.isTrue("dl")) {
    headers["Content-Disposition"] = contentDisposition("attachment", name);
  } else {
    headers["Content-Disposition"] ??= contentDisposition("inline", name);
  }
  overrideHeaders(request, headers);
  return headers;
}
