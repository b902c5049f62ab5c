export type PreviewKind =
  | "text"
  | "json"
  | "csv"
  | "tsv"
  | "parquet"
  | "image"
  | "markdown"
  | "html"
  | "none";

const BY_EXTENSION: Readonly<Record<string, PreviewKind>> = {
  csv: "csv",
  gif: "image",
  htm: "html",
  html: "html",
  ipynb: "json",
  jpeg: "image",
  jpg: "image",
  json: "json",
  log: "text",
  markdown: "markdown",
  md: "markdown",
  parquet: "parquet",
  png: "image",
  py: "text",
  svg: "image",
  toml: "text",
  tsv: "tsv",
  txt: "text",
  webp: "image",
  yaml: "text",
  yml: "text",
};

/** Artifact types whose content is known whatever its name. */
const BY_ARTIFACT_TYPE: Readonly<Record<string, PreviewKind>> = {
  "system.HTML": "html",
  "system.Markdown": "markdown",
};

/**
 * How to show a content: by artifact type, then by the extension of its name, then by content type. Extensions come
 * first because many clients store everything as `application/octet-stream`.
 */
export function previewKind(subject: {
  readonly key: string;
  readonly contentType: string;
  readonly artifactType?: string | undefined;
}): PreviewKind {
  const fixed =
    subject.artifactType === undefined ? undefined : BY_ARTIFACT_TYPE[subject.artifactType];
  if (fixed !== undefined) return fixed;
  const name = subject.key.slice(subject.key.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  const byName = dot < 0 ? undefined : BY_EXTENSION[name.slice(dot + 1).toLowerCase()];
  return byName ?? kindOfContentType(subject.contentType);
}

function kindOfContentType(contentType: string): PreviewKind {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "text/csv") return "csv";
  if (type === "text/tab-separated-values") return "tsv";
  if (type === "text/html") return "html";
  if (type === "text/markdown") return "markdown";
  if (type === "application/json" || type.endsWith("+json")) return "json";
  if (type.startsWith("image/")) return "image";
  if (type.startsWith("text/") || type === "application/yaml") return "text";
  return "none";
}
