import { type Disk, type Log, utf8, utf8Text } from "@kelp/base";
import { SUPERBLOCK_BYTES } from "../superblock/superblock.ts";

/**
 * The files of a vacuum, named as SeaweedFS names them, beside those of the volume:
 *
 * | name   | what                                                                                    |
 * |--------|-----------------------------------------------------------------------------------------|
 * | `.cpd` | the new volume file                                                                     |
 * | `.cpx` | the new index file                                                                      |
 * | `.cpc` | the commit: while it is there the new files are the volume, whatever they are named yet |
 *
 * Kelp writes into the commit what it commits (JSON: `compactionRevision`, `dataBytes`), so that a commit which should be gone
 * and is not can never put the half-written files of a later vacuum in place. SeaweedFS only looks whether it is there; one of
 * its own says nothing and is believed.
 */
export interface CompactionPaths {
  readonly folder: string;
  readonly data: string;
  readonly index: string;
  readonly newData: string;
  readonly newIndex: string;
  readonly commit: string;
}

/** What is committed. */
export interface Commit {
  /** Of the new volume file. */
  readonly compactionRevision: number;
  /** Its length; it can only have grown since. */
  readonly dataBytes: number;
}

/** `base` is the path of the volume's files without their extension. */
export function compactionPaths(folder: string, base: string): CompactionPaths {
  return {
    folder,
    data: `${base}.dat`,
    index: `${base}.idx`,
    newData: `${base}.cpd`,
    newIndex: `${base}.cpx`,
    commit: `${base}.cpc`,
  };
}

/**
 * Clears up after a vacuum that never finished: a committed one is finished, of any other the new files are removed.
 * When this resolves no commit is left, and that is durable if there was one. Throws `DiskError`.
 */
export async function settleCompaction(
  disk: Disk,
  paths: CompactionPaths,
  log: Log,
): Promise<void> {
  if (!(await disk.exists(paths.commit))) {
    await dropNewFiles(disk, paths);
    return;
  }
  const commit = parseCommit(utf8Text(await disk.readWhole(paths.commit)));
  if ((await disk.exists(paths.newData)) && (await fits(disk, paths.newData, commit))) {
    await disk.rename(paths.newData, paths.data);
  }
  // The new index belongs to the new volume file and to no other.
  if ((await disk.exists(paths.newIndex)) && (await fits(disk, paths.data, commit))) {
    await disk.rename(paths.newIndex, paths.index);
  }
  await disk.syncFolder(paths.folder);
  await disk.remove(paths.commit);
  await disk.syncFolder(paths.folder);
  await dropNewFiles(disk, paths);
  log.warn("a vacuum that was committed is finished", { path: paths.data });
}

/** Whether the file is the one that the commit speaks of. A commit that says nothing is believed. */
async function fits(disk: Disk, path: string, commit: Commit | undefined): Promise<boolean> {
  if (commit === undefined) return true;
  await using file = await disk.open(path, { access: "read" });
  const head = Buffer.alloc(SUPERBLOCK_BYTES);
  await file.readAt(head, 0);
  return (
    head.readUInt16BE(4) === commit.compactionRevision &&
    (await file.sizeBytes()) >= commit.dataBytes
  );
}

/** Removes the new files of a vacuum that was not committed. */
export async function dropNewFiles(disk: Disk, paths: CompactionPaths): Promise<void> {
  for (const path of [paths.newData, paths.newIndex]) {
    if (await disk.exists(path)) await disk.remove(path);
  }
}

/**
 * How a commit ended:
 * - `done`: the new files are in place and will be after a crash;
 * - `undone`: the old ones are, and the new ones may go;
 * - `old-in-doubt`, `new-in-doubt`: these files are in use, and a crash may bring back the other ones. Both hold the same
 *   needles, so nothing is lost as long as nothing is added.
 */
export type CommitOutcome =
  | { readonly kind: "done" }
  | {
      readonly kind: "undone" | "old-in-doubt" | "new-in-doubt";
      readonly cause: unknown;
    };

/** Puts the new files, which must be synced, in the place of the old ones. Never throws. */
export async function commitCompaction(
  disk: Disk,
  paths: CompactionPaths,
  commit: Commit,
  log: Log,
): Promise<CommitOutcome> {
  try {
    await writeCommit(disk, paths, commit);
    await disk.rename(paths.newData, paths.data);
  } catch (cause) {
    return { kind: await undoCommit(disk, paths, log), cause };
  }
  try {
    await disk.rename(paths.newIndex, paths.index);
    await disk.syncFolder(paths.folder);
  } catch (cause) {
    return { kind: "new-in-doubt", cause };
  }
  try {
    await disk.remove(paths.commit);
    await disk.syncFolder(paths.folder);
  } catch (error) {
    // It has nothing left to put in place; the next vacuum or opening removes it before it begins.
    log.warn("the commit of a finished vacuum cannot be removed", { path: paths.commit, error });
  }
  return { kind: "done" };
}

async function writeCommit(disk: Disk, paths: CompactionPaths, commit: Commit): Promise<void> {
  // The names of the new files: a commit that is there must find both, or what a crash left of it could put one in place.
  await disk.syncFolder(paths.folder);
  {
    await using file = await disk.open(paths.commit, {
      access: "read-write",
      create: true,
      exclusive: true,
    });
    await file.writeAt([utf8(JSON.stringify(commit))], 0);
    await file.sync();
  }
  await disk.syncFolder(paths.folder);
}

async function undoCommit(
  disk: Disk,
  paths: CompactionPaths,
  log: Log,
): Promise<"undone" | "old-in-doubt"> {
  try {
    if (await disk.exists(paths.commit)) await disk.remove(paths.commit);
    await disk.syncFolder(paths.folder);
    return "undone";
  } catch (error) {
    log.error("the commit of a failed vacuum cannot be removed", { path: paths.commit, error });
    return "old-in-doubt";
  }
}

function parseCommit(text: string): Commit | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value !== "object" || value === null) return undefined;
    const { compactionRevision, dataBytes } = value as Record<string, unknown>;
    if (typeof compactionRevision !== "number" || typeof dataBytes !== "number") return undefined;
    return { compactionRevision, dataBytes };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
