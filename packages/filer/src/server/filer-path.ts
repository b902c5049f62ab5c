import { HttpError, percentDecoded } from "@kelp/base/http";
import { type EntryPath, type TreeName, parseBucketName, parseEntryPath } from "@kelp/wire";

/** The tree of everything that is in no bucket. No bucket can have this name. */
export const ROOT_TREE = "_root" as TreeName;
const BUCKETS = "buckets";

/**
 * A path of the filer. `/buckets/<name>/…` is the tree of the bucket of that name, everything else is in `ROOT_TREE`.
 */
export type FilerPath =
  /** `/buckets`: the buckets. */
  { readonly kind: "buckets"; readonly text: string } | FolderPath | FilePath;

/** A folder, told by its slash, or the top of a tree. */
export interface FolderPath {
  readonly kind: "folder";
  /** As the client names it, without the last slash but for `/` itself. */
  readonly text: string;
  readonly tree: TreeName;
  /** Empty at the top of the tree, else with a slash at its end. */
  readonly prefix: string;
}

/** What may be a file, or a folder whose slash was left out. */
export interface FilePath {
  readonly kind: "file";
  readonly text: string;
  readonly tree: TreeName;
  readonly key: EntryPath;
}

/** Throws `HttpError`: 400 for paths with dot segments or a bucket that cannot be one, 414 for longer ones than are kept. */
export function parseFilerPath(rawPath: string): FilerPath {
  return filerPath(percentDecoded(rawPath));
}

/** The same of a path that is decoded already. */
export function filerPath(text: string): FilerPath {
  if (!text.startsWith("/")) throw new HttpError(400, "A path begins with a slash");
  if (text.includes("\0") || !text.isWellFormed()) throw new HttpError(400, "The path is no text");
  // Clients resolve them in different ways; what is checked must be what is meant.
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(text)) throw new HttpError(400, "The path has dot segments");
  const [, first = "", second] = text.split("/", 3);
  if (first !== BUCKETS) return placed(text, ROOT_TREE, text.slice(1));
  if (second === undefined || second === "") {
    if (text.length > BUCKETS.length + 2) throw new HttpError(400, "The bucket has no name");
    return { kind: "buckets", text: `/${BUCKETS}` };
  }
  const tree = parseBucketName(second);
  if (tree === undefined) throw new HttpError(400, `${second} cannot be the name of a bucket`);
  return placed(text, tree, text.slice(BUCKETS.length + second.length + 3));
}

function placed(text: string, tree: TreeName, key: string): FolderPath | FilePath {
  if (key === "") return { kind: "folder", text: withoutSlash(text), tree, prefix: "" };
  const path = parseEntryPath(key);
  if (path === undefined) throw new HttpError(414, "The path is too long");
  if (!key.endsWith("/")) return { kind: "file", text, tree, key: path };
  return { kind: "folder", text: withoutSlash(text), tree, prefix: key };
}

/** The same path with a slash. Throws `HttpError` 414. */
export function asFolder(path: FilePath): FolderPath {
  const folder = filerPath(`${path.text}/`);
  if (folder.kind !== "folder") throw new HttpError(400, "The path is no folder");
  return folder;
}

/** The same path without its slash; `undefined` for the top of a tree. */
export function asFile(path: FolderPath): FilePath | undefined {
  if (path.prefix === "") return undefined;
  const file = filerPath(path.text);
  return file.kind === "file" ? file : undefined;
}

/** A thing in a folder. Throws `HttpError` 400 and 414. */
export function inFolder(folder: FolderPath, name: string): FilePath {
  if (name === "" || name.includes("/")) throw new HttpError(400, "The file has no usable name");
  const path = filerPath(`${folder.text === "/" ? "" : folder.text}/${name}`);
  if (path.kind !== "file") throw new HttpError(400, "The file has no usable name");
  return path;
}

/** Last part of a path. */
export function nameOf(text: string): string {
  return text.slice(text.lastIndexOf("/") + 1);
}

function withoutSlash(text: string): string {
  return text.length > 1 && text.endsWith("/") ? text.slice(0, -1) : text;
}
