/** Media types by the ending of a name: what people keep in such stores, not a whole registry. */
const BY_ENDING: ReadonlyMap<string, string> = new Map(
  Object.entries({
    avif: "image/avif",
    bin: "application/octet-stream",
    bmp: "image/bmp",
    bz2: "application/x-bzip2",
    css: "text/css; charset=utf-8",
    csv: "text/csv; charset=utf-8",
    gif: "image/gif",
    gz: "application/gzip",
    htm: "text/html; charset=utf-8",
    html: "text/html; charset=utf-8",
    ico: "image/x-icon",
    jpeg: "image/jpeg",
    jpg: "image/jpeg",
    js: "text/javascript; charset=utf-8",
    json: "application/json",
    log: "text/plain; charset=utf-8",
    md: "text/markdown; charset=utf-8",
    mjs: "text/javascript; charset=utf-8",
    mov: "video/quicktime",
    mp3: "audio/mpeg",
    mp4: "video/mp4",
    ogg: "audio/ogg",
    parquet: "application/vnd.apache.parquet",
    pdf: "application/pdf",
    png: "image/png",
    py: "text/x-python; charset=utf-8",
    svg: "image/svg+xml",
    tar: "application/x-tar",
    tif: "image/tiff",
    tiff: "image/tiff",
    txt: "text/plain; charset=utf-8",
    wasm: "application/wasm",
    wav: "audio/wav",
    webm: "video/webm",
    webp: "image/webp",
    xml: "text/xml; charset=utf-8",
    yaml: "application/yaml",
    yml: "application/yaml",
    zip: "application/zip",
    zst: "application/zstd",
  }),
);

/** `undefined` for a name without an ending that is known. */
export function mediaTypeOfName(name: string): string | undefined {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? undefined : BY_ENDING.get(name.slice(dot + 1).toLowerCase());
}

/** `inline` or `attachment` with a name that no reader can take for something else (RFC 6266). */
export function contentDisposition(kind: "inline" | "attachment", name: string): string {
  const plain = name.replace(/[^ !#-[\]-~]/g, "_");
  const extended = plain === name ? "" : `; filename*=UTF-8''${encodeRfc8187(name)}`;
  return `${kind}; filename="${plain}"${extended}`;
}

function encodeRfc8187(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
