import { readdirSync } from "node:fs";
import { join } from "node:path";
import { systemDisk } from "@kelp/base/platform";
import { FaultyDisk, temporaryFolder } from "@kelp/base/testing";
import { CHUNK_SIZE_BYTES } from "@kelp/wire";
import { FolderTarget } from "../backup/folder-target.ts";
import type { FilerOptions } from "../filer.ts";
import { BackupWorld } from "./backup-world.ts";
import { noise, read, write } from "./world-steps.ts";
import { type FilerWorld, TREE } from "./world.ts";

/** A filer, and a target for its backups on a disk that can fail. */
export interface BackupRig extends Disposable {
  readonly source: BackupWorld;
  readonly target: FolderTarget;
  readonly disk: FaultyDisk;
  /** The folder of `target`. It is made by the first backup. */
  readonly path: string;
}

/** `using rig = await openBackupRig();`. `options` replace parts of the filer. */
export async function openBackupRig(options: Partial<FilerOptions> = {}): Promise<BackupRig> {
  const folder = temporaryFolder();
  const other = temporaryFolder();
  const source = new BackupWorld(folder.path, options);
  await source.start();
  const disk = new FaultyDisk(systemDisk);
  const path = join(other.path, "target");
  return {
    source,
    target: new FolderTarget(disk, path),
    disk,
    path,
    [Symbol.dispose]() {
      source[Symbol.dispose]();
      other[Symbol.dispose]();
    },
  };
}

/** Content of each kind: inline, of one chunk, of three. */
export async function fill({ source }: BackupRig): Promise<void> {
  await write(source.world, "small", noise(100));
  await write(source.world, "one-chunk", noise(50_000));
  await write(source.world, "chunks", noise(CHUNK_SIZE_BYTES * 2 + 9));
}

/** Every entry with all that it says and holds. */
export async function stateOf(world: FilerWorld): Promise<unknown> {
  const page = await world.filer.listEntries(TREE, { limit: 1000 });
  const items = page.kind === "ok" ? page.value.items : [];
  const entries = await Promise.all(
    items.map(async (item) => ({
      item,
      hash: Bun.hash((item.kind === "entry" && (await read(world, item.path))) || ""),
    })),
  );
  return { entries, tree: await world.filer.getTree(TREE) };
}

/** The files of packs in the target at `path` whose names end so. */
export function packFiles(path: string, end: string): string[] {
  return readdirSync(join(path, "packs"))
    .filter((name) => name.endsWith(end))
    .map((name) => join(path, "packs", name));
}
