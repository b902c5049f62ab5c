import { HttpError, type HttpReply, emptyReply } from "@kelp/base/http";
import { type Entry, type EntryPath, type Filer, type TreeName, parseEntryPath } from "@kelp/wire";
import type { Access } from "./access.ts";
import { deleteMoved } from "./delete-path.ts";
import { notFound, writeRefused } from "./explain-error.ts";
import {
  type FilePath,
  type FilerPath,
  type FolderPath,
  asFile,
  asFolder,
  inFolder,
  nameOf,
} from "./filer-path.ts";
import { findEntry, folderExists, forEachBounded, keysBelow } from "./folder.ts";
import { FOLDER_ENTRIES_MAX } from "./limits.ts";
import { ensureTree } from "./write-file.ts";

/** What is moved or copied, and to where. */
interface Job {
  readonly kind: "move" | "copy";
  readonly filer: Filer;
  readonly access: Access;
}

/**
 * `POST /target?mv.from=/source` and `?cp.from=`: 204. Into a target that is a folder, what is moved keeps its name.
 * Inside one tree a move is one step of the store; between trees content is copied and then removed, so that a request
 * that is cut off leaves both. Throws `HttpError` 400, 403, 404, 409, 507.
 */
export async function movePath(job: Job, source: FilerPath, target: FilerPath): Promise<HttpReply> {
  if (source.kind === "buckets" || target.kind === "buckets") {
    throw new HttpError(400, "Buckets are not moved or copied as a whole");
  }
  const { filer } = job;
  const file = source.kind === "file" ? source : asFile(source);
  const entry = file === undefined ? undefined : await findFile(job, file);
  if (file !== undefined && entry !== undefined) {
    await transferFile(job, { path: file, entry }, await targetOf(job, target, nameOf(file.text)));
    return emptyReply(204);
  }
  const folder = source.kind === "folder" ? source : asFolder(source);
  if (folder.prefix === "") throw new HttpError(400, "A bucket or the top is not moved as a whole");
  job.access.require("list", { tree: folder.tree, key: folder.prefix });
  if (!(await folderExists(filer, folder))) throw notFound();
  await transferFolder(job, folder, asFolder(await targetOf(job, target, nameOf(folder.text))));
  return emptyReply(204);
}

function findFile(job: Job, path: FilePath): Promise<Entry | undefined> {
  job.access.require("read", path);
  if (job.kind === "move") job.access.require("delete", path);
  return findEntry(job.filer, path.tree, path.key);
}

async function targetOf(job: Job, target: FilePath | FolderPath, name: string): Promise<FilePath> {
  if (target.kind === "folder") return inFolder(target, name);
  const folder = asFolder(target);
  return (await folderExists(job.filer, folder)) ? inFolder(folder, name) : target;
}

async function transferFile(
  job: Job,
  source: { readonly path: FilePath; readonly entry: Entry },
  target: FilePath,
): Promise<void> {
  const { filer, access } = job;
  access.require("write", target);
  if (source.path.text === target.text) return;
  await ensureTree(filer, target.tree);
  if (job.kind === "move" && source.path.tree === target.tree) {
    const moved = await filer.renameEntry(target.tree, source.path.key, target.key);
    if (moved.kind === "refused") throw notFound();
    return;
  }
  await copyEntry(job, source.entry, { from: source.path, to: target });
}

interface Ends {
  readonly from: { readonly tree: TreeName; readonly key: EntryPath };
  readonly to: { readonly tree: TreeName; readonly key: EntryPath };
}

/** Content read, checked and written anew; the source of a move goes once the target is durable. */
async function copyEntry(job: Job, entry: Entry, { from, to }: Ends): Promise<void> {
  const { filer } = job;
  const { attributes, etag, expiresMs } = entry;
  const written = await filer.writeFile({
    tree: to.tree,
    path: to.key,
    body:
      entry.content.kind === "inline"
        ? entry.content.bytes
        : filer.readFile(entry, undefined, { pieces: "lent" }),
    describe: () => ({ attributes, etag, ...(expiresMs !== undefined && { expiresMs }) }),
  });
  if (written.kind === "refused") throw writeRefused(written.refusal);
  if (job.kind === "copy") return;
  const outcome = await deleteMoved(filer, { ...from, position: entry.position });
  if (outcome === "changed") {
    throw new HttpError(
      409,
      "The source changed while it was moved: it stays, and so does the copy",
    );
  }
}

async function transferFolder(job: Job, source: FolderPath, target: FolderPath): Promise<void> {
  const { filer, access } = job;
  if (`${target.text}/`.startsWith(`${source.text}/`)) {
    throw new HttpError(400, "A folder cannot be put into itself");
  }
  await ensureTree(filer, target.tree);
  await requireAll(job, source, target);
  if (job.kind === "move" && source.tree === target.tree) {
    const moved = await filer.renamePrefix(source.tree, source.prefix, target.prefix);
    if (moved.kind === "ok") return;
    if (moved.refusal === "target-exists") throw new HttpError(409, `${target.text} exists`);
    if (moved.refusal !== "too-many") throw notFound();
  }
  await forEachBounded(keysBelow(filer, source.tree, source.prefix), async (key) => {
    const to = { tree: target.tree, key: keyBelow(target, key.slice(source.prefix.length)) };
    const from = { tree: source.tree, key };
    access.require("write", to);
    if (job.kind === "move" && from.tree === to.tree) {
      await filer.renameEntry(from.tree, from.key, to.key);
      return;
    }
    const entry = await findEntry(filer, from.tree, key);
    if (entry !== undefined) await copyEntry(job, entry, { from, to });
  });
}

/** Every right before the first change: half a folder moved helps nobody. */
async function requireAll(job: Job, source: FolderPath, target: FolderPath): Promise<void> {
  const { filer, access } = job;
  let count = 0;
  for await (const key of keysBelow(filer, source.tree, source.prefix)) {
    if (++count > FOLDER_ENTRIES_MAX) throw new HttpError(400, "The folder has too many entries");
    access.require("read", { tree: source.tree, key });
    if (job.kind === "move") access.require("delete", { tree: source.tree, key });
    const to = keyBelow(target, key.slice(source.prefix.length));
    access.require("write", { tree: target.tree, key: to });
  }
}

function keyBelow(folder: FolderPath, rest: string): EntryPath {
  const key = parseEntryPath(folder.prefix + rest);
  if (key === undefined) throw new HttpError(414, "A path would be too long");
  return key;
}
