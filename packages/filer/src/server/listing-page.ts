import {
  type HttpReply,
  escapeHtml,
  htmlReply,
  htmlTable,
  isoDate,
  readableSize,
} from "@kelp/base/http";
import type { Child, ListingQuery } from "./listing.ts";

/** A folder for people: no script, so that nothing that is stored can become one. */
export function listingPage(listing: {
  readonly path: string;
  readonly children: readonly Child[];
  readonly query: ListingQuery;
  readonly version: string;
  /** Whether files can be put here: not among the buckets. */
  readonly canUpload: boolean;
}): HttpReply {
  const { path, children, query } = listing;
  const rows = children.map((child) => [nameCell(child), sizeCell(child), dateCell(child)]);
  const table =
    rows.length === 0
      ? '<p class="quiet">Nothing is here.</p>'
      : htmlTable(["Name", "Size#", "Modified"], rows);
  const upload = listing.canUpload
    ? `<form method="post" enctype="multipart/form-data" action="${href(path, "/")}"><label>Add a file: <input type="file" name="file" required></label> <button>Upload</button></form>`
    : "";
  return htmlReply({
    title: `${path} · Kelp filer`,
    body: `<h1>${breadcrumbs(path)}</h1>${upload}${table}${more(path, children, query)}<p class="quiet">Kelp ${escapeHtml(listing.version)}</p>`,
  });
}

function nameCell({ kind, name, fullPath }: Child): string {
  const slash = kind === "folder" ? "/" : "";
  return `<a href="${href(fullPath, slash)}">${escapeHtml(name + slash)}</a>`;
}

function sizeCell({ item }: Child): string {
  return item?.kind === "entry" ? readableSize(item.sizeBytes) : "";
}

function dateCell({ item }: Child): string {
  if (item?.kind !== "entry") return "";
  const date = isoDate(item.modifiedMs);
  return `<time datetime="${date}">${date.slice(0, 19).replace("T", " ")}</time>`;
}

function breadcrumbs(path: string): string {
  let text = '<a href="/">Files</a>';
  let above = "";
  for (const name of path.split("/").filter(Boolean)) {
    above += `/${name}`;
    text += ` / <a href="${href(above, "/")}">${escapeHtml(name)}</a>`;
  }
  return text;
}

function more(path: string, children: readonly Child[], query: ListingQuery): string {
  const last = children.at(-1);
  if (last === undefined || children.length < query.limit) return "";
  const parameters = new URLSearchParams({ limit: String(query.limit), lastFileName: last.cursor });
  if (query.pattern !== undefined) parameters.set("namePattern", query.pattern);
  if (query.patternExclude !== undefined) {
    parameters.set("namePatternExclude", query.patternExclude);
  }
  return `<p><a href="${href(path, "/")}?${escapeHtml(parameters.toString())}">More</a></p>`;
}

/** An absolute path, so that no name can be taken for another address. */
function href(path: string, slash: "" | "/"): string {
  const encoded = path
    .split("/")
    .map((name) => encodeURIComponent(name))
    .join("/");
  const whole = encoded.endsWith("/") ? encoded : encoded + slash;
  // Two slashes at the beginning would name a host.
  return escapeHtml(whole.startsWith("//") ? `/.${whole}` : whole);
}
