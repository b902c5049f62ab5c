import { HttpError, type HttpReply, type HttpRequest, emptyReply } from "@kelp/base/http";
import type { EntryPath, Filer } from "@kelp/wire";
import type { Access } from "./access.ts";
import { type FilePath, type FolderPath, ROOT_TREE, asFolder } from "./filer-path.ts";
import { findEntry, folderExists, forEachBounded, hasChildren, keysBelow } from "./folder.ts";

/**
 * DELETE of a file or a folder: 204, also for what is not there. A folder with something in it takes `recursive=true`.
 * Where the caller's right is weighed for each entry, they go one by one, a bounded number at a time, so that what was
 * removed when a request is cut off stays removed; else the store drops all of them at once.
 * Throws `HttpError` 403, 409, 501.
 */
export async function deletePath(
  filer: Filer,
  request: HttpRequest,
  place: { readonly path: FilePath | FolderPath; readonly access: Access },
): Promise<HttpReply> {
  const { query } = request;
  if (query.isTrue("skipChunkDeletion")) {
    throw new HttpError(
      501,
      "The content of a file goes with it: skipChunkDeletion is not supported",
    );
  }
  const { path, access } = place;
  if (path.kind === "file") {
    access.require("delete", path);
    const deleted = await filer.deleteEntry({ tree: path.tree, path: path.key });
    if (deleted.kind === "ok" && deleted.value.existed) return emptyReply(204);
  }
  const folder = path.kind === "folder" ? path : asFolder(path);
  if (folder.prefix === "") return deleteTop(filer, request, { path: folder, access });
  access.require("delete", { tree: folder.tree, key: folder.prefix });
  if (!(await folderExists(filer, folder))) return emptyReply(204);
  if (!query.isTrue("recursive") && (await hasChildren(filer, folder))) throw notEmpty(folder);
  await deleteBelow(filer, request, { path: folder, access });
  return emptyReply(204);
}

/** A bucket goes with everything in it; the top of everything else stays. */
async function deleteTop(
  filer: Filer,
  request: HttpRequest,
  place: { readonly path: FolderPath; readonly access: Access },
): Promise<HttpReply> {
  const { path, access } = place;
  if (path.tree === ROOT_TREE) throw new HttpError(403, "The top folder cannot be deleted");
  access.requireBucketRight("s3:DeleteBucket", path.tree);
  const tree = await filer.getTree(path.tree);
  if (tree?.kind !== "bucket") return emptyReply(204);
  const isRecursive = request.query.isTrue("recursive");
  const discards = isRecursive && access.coversAllBelow;
  if (isRecursive && !discards) await deleteBelow(filer, request, place);
  const deleted = await filer.deleteTree(path.tree, { contents: discards ? "discard" : "refuse" });
  if (deleted.kind === "refused" && deleted.refusal === "not-empty") throw notEmpty(path);
  return emptyReply(204);
}

async function deleteBelow(
  filer: Filer,
  request: HttpRequest,
  { path, access }: { readonly path: FolderPath; readonly access: Access },
): Promise<void> {
  if (access.coversAllBelow) {
    await filer.deletePrefix(path.tree, path.prefix);
    return;
  }
  const ignoresErrors = request.query.isTrue("ignoreRecursiveError");
  const { tree } = path;
  await forEachBounded(keysBelow(filer, tree, path.prefix), async (key) => {
    if (!access.may("delete", { tree, key })) {
      if (ignoresErrors) return;
      throw new HttpError(403, "Access denied");
    }
    await filer.deleteEntry({ tree, path: key });
  });
}

function notEmpty(path: FolderPath): HttpError {
  return new HttpError(409, `fail to delete non-empty folder: ${path.text}`);
}

/** Removes one entry that was moved elsewhere, unless it changed since. */
export async function deleteMoved(
  filer: Filer,
  moved: { readonly tree: FilePath["tree"]; readonly key: EntryPath; readonly position: number },
): Promise<"deleted" | "changed"> {
  const { tree, key, position } = moved;
  const condition = { kind: "position", position } as const;
  const deleted = await filer.deleteEntry({ tree, path: key, condition });
  if (deleted.kind === "ok") return "deleted";
  return (await findEntry(filer, tree, key)) === undefined ? "deleted" : "changed";
}
