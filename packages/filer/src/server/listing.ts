import { type HttpReply, type HttpRequest, HttpError } from "@kelp/base/http";
import type { Entry, EntryPath, Filer, ListItem } from "@kelp/wire";
import { fileJson, folderJson } from "./entry-json.ts";
import { type FolderPath, ROOT_TREE } from "./filer-path.ts";
import { findEntry, folderExists, items } from "./folder.ts";
import { LISTING_PAGES_MAX, PATTERN_LENGTH_MAX } from "./limits.ts";
import { matchesName } from "./pattern.ts";

/** What a client wants to see of a folder. */
export interface ListingQuery {
  readonly limit: number;
  /** As it was told; behind it the listing goes on. */
  readonly lastFileName: string;
  readonly pattern: string | undefined;
  readonly patternExclude: string | undefined;
}

/** Throws `HttpError` 400. */
export function listingQuery(
  request: HttpRequest,
  limits: { readonly usual: number; readonly max: number },
): ListingQuery {
  const { query } = request;
  const pattern = query.text("namePattern");
  const patternExclude = query.text("namePatternExclude");
  for (const text of [pattern, patternExclude]) {
    if (text !== undefined && text.length > PATTERN_LENGTH_MAX) {
      throw new HttpError(400, "The pattern is too long");
    }
  }
  return {
    // More than there is at most is as good as the most: scripts ask for a million.
    limit: Math.min(
      query.count("limit", { min: 1, max: Number.MAX_SAFE_INTEGER, absent: limits.usual }),
      limits.max,
    ),
    lastFileName: query.text("lastFileName") ?? "",
    pattern,
    patternExclude,
  };
}

/** A thing in a folder. */
export interface Child {
  readonly kind: "file" | "folder";
  readonly name: string;
  /** Whole, without a slash at the end. */
  readonly fullPath: string;
  /** What to go on behind. */
  readonly cursor: string;
  readonly item: ListItem | undefined;
}

/**
 * What is in a folder, in the order of the store: folders sort as their name with its slash. At most `limit` children;
 * ends early after `LISTING_PAGES_MAX` pages without enough names that fit, with what there is.
 */
export async function* children(
  filer: Filer,
  folder: FolderPath,
  query: ListingQuery,
): AsyncGenerator<Child> {
  const { prefix, tree } = folder;
  const above = folder.text === "/" ? "" : folder.text;
  const after = await startAfter(filer, folder, query.lastFileName);
  // The buckets are a folder that no entry tells of.
  let isBucketsDue = tree === ROOT_TREE && prefix === "" && after < "buckets/";
  const buckets: Child = {
    kind: "folder",
    name: "buckets",
    fullPath: "/buckets",
    cursor: "buckets/",
    item: undefined,
  };
  let count = 0;
  const listed = items(filer, tree, { prefix, delimiter: "/", after, pagesMax: LISTING_PAGES_MAX });
  for await (const item of listed) {
    const key = item.kind === "entry" ? item.path : item.prefix;
    // A folder's own entry is not in it.
    if (key === prefix) continue;
    if (isBucketsDue && key > buckets.cursor) {
      isBucketsDue = false;
      if (fits(buckets.name, query)) {
        yield buckets;
        if (++count >= query.limit) return;
      }
    }
    const child = childOf(item, { key, prefix, above });
    if (!fits(child.name, query)) continue;
    yield child;
    if (++count >= query.limit) return;
  }
  if (isBucketsDue && fits(buckets.name, query)) yield buckets;
}

function childOf(
  item: ListItem,
  place: { readonly key: string; readonly prefix: string; readonly above: string },
): Child {
  const cursor = place.key.slice(place.prefix.length);
  const name = item.kind === "entry" ? cursor : cursor.slice(0, -1);
  const fullPath = `${place.above}/${name}`;
  return { kind: item.kind === "entry" ? "file" : "folder", name, fullPath, cursor, item };
}

/**
 * Clients that build on names give a folder's without its slash; then the listing goes on behind the folder, since it
 * would come again and again otherwise.
 */
async function startAfter(filer: Filer, folder: FolderPath, last: string): Promise<string> {
  if (last === "") return folder.prefix;
  if (last.endsWith("/")) return folder.prefix + last;
  const isBuckets = folder.tree === ROOT_TREE && folder.prefix === "" && last === "buckets";
  const named: FolderPath = { ...folder, prefix: `${folder.prefix}${last}/` };
  return isBuckets || (await folderExists(filer, named)) ? named.prefix : folder.prefix + last;
}

function fits(name: string, query: ListingQuery): boolean {
  if (query.pattern !== undefined && !matchesName(query.pattern, name)) return false;
  return query.patternExclude === undefined || !matchesName(query.patternExclude, name);
}

/** The JSON of a folder, made while it is sent: a hundred thousand entries are never in memory at once. */
export function listingReply(
  request: HttpRequest,
  listing: {
    readonly filer: Filer;
    readonly path: string;
    readonly version: string;
    readonly query: ListingQuery;
    readonly children: AsyncIterable<Child>;
    /** The entry of a child, where it has one. */
    readonly describe: (child: Child) => Promise<Entry | undefined>;
  },
): HttpReply {
  const indent = request.query.has("pretty") ? "  " : undefined;
  return {
    kind: "text-stream",
    status: 200,
    headers: { "Content-Type": "application/json" },
    pieces: listingJson(listing, indent),
  };
}

async function* listingJson(
  listing: Parameters<typeof listingReply>[1],
  indent: string | undefined,
): AsyncGenerator<string> {
  const { path, version, query } = listing;
  const text = (value: unknown): string => JSON.stringify(value, undefined, indent) ?? "null";
  let held = `{"Version":${text(version)},"Path":${text(path)},"Entries":`;
  let count = 0;
  let cursor = "";
  for await (const child of listing.children) {
    held += count === 0 ? "[" : ",";
    count++;
    cursor = child.cursor;
    const entry = await listing.describe(child);
    // Deleted since it was listed: the listing was true when it was read.
    if (child.kind === "file" && entry === undefined) held += text({ FullPath: child.fullPath });
    else if (child.kind === "file" && entry !== undefined)
      held += text(fileJson(child.fullPath, entry));
    else held += text(folderJson(child.fullPath, entry));
    if (held.length < PIECE_LENGTH_MIN) continue;
    yield held;
    held = "";
  }
  const isFull = count >= query.limit;
  yield `${held}${count === 0 ? "null" : "]"},"Limit":${query.limit},"LastFileName":${text(cursor)},"ShouldDisplayLoadMore":${isFull},"EmptyFolder":${count === 0}}`;
}

const PIECE_LENGTH_MIN = 16 * 1024;

export async function describeChild(
  filer: Filer,
  folder: FolderPath,
  child: Child,
): Promise<Entry | undefined> {
  const key = folder.prefix + child.cursor;
  return key === "" ? undefined : findEntry(filer, folder.tree, key as EntryPath);
}
