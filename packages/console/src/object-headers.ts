import type { ObjectInfo } from "@kelp/wire";

/**
 * Headers of stored bytes. What people store is hostile: a browser that opens the address itself saves a file, and a
 * browser that renders it all the same does so without scripts, origin or network. The app reads these answers with
 * `fetch` and shows them in its own sandboxes, where the headers do not stand in the way.
 */
export function objectHeaders(info: ObjectInfo): Record<string, string> {
  return {
    "accept-ranges": "bytes",
    "cache-control": "private, no-store",
    "content-disposition": contentDisposition(info.key),
    "content-security-policy": "sandbox; default-src 'none'",
    "content-type": headerText(info.contentType) ?? "application/octet-stream",
    "cross-origin-resource-policy": "same-origin",
    etag: `"${info.etag}"`,
    "last-modified": httpDate(info.modifiedMs),
    "x-content-type-options": "nosniff",
  };
}

/** RFC 6266: a plain name for old readers and the exact one in UTF-8. */
export function contentDisposition(key: string): string {
  const name = key.slice(key.lastIndexOf("/") + 1) || "download";
  const plain = name.replaceAll(/[^\w .()-]/g, "_");
  const exact = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}

function headerText(value: string): string | undefined {
  return /^[\x21-\x7e][\x20-\x7e]{0,255}$/.test(value) ? value : undefined;
}

function httpDate(timeMs: number): string {
  return new Date(timeMs).toUTCString();
}
