import { type Disk, type DiskFile, type Hashes, must } from "@kelp/base";
import { BackupError } from "../errors.ts";
import { BLOCK_BYTES } from "../limits.ts";
import type { BackupTarget } from "./backup-target.ts";
import type { BackupManifest } from "./backup-manifest.ts";
import { blobsOf, blockKey, readPack, readPackIndex } from "./pack.ts";
import type { PackCatalogue } from "./pack-catalogue.ts";

export interface RestoreFilesRequest {
  readonly manifest: Pick<BackupManifest, "databases" | "files">;
  readonly target: BackupTarget;
  readonly catalogue: PackCatalogue;
  /** Files are made in it. */
  readonly folder: string;
  /** Files of the backup that are wanted, by name. */
  readonly names: readonly string[];
}

/** Where a block belongs. */
interface Place {
  readonly file: string;
  readonly offset: number;
}

/**
 * Writes databases and small files of a backup, pack by pack, each block checked; durable when resolved.
 * Throws `BackupError` `backup-damaged`, and what the disk throws.
 */
export async function restoreFiles(
  deps: { readonly disk: Disk; readonly hashes: Pick<Hashes, "digest"> },
  request: RestoreFilesRequest,
): Promise<void> {
  const { manifest, target, catalogue, folder } = request;
  const places = placesOf(manifest, request.names);
  const packs = new Set<string>();
  for (const key of places.keys()) {
    const pack = catalogue.packOf(key);
    if (pack === undefined) throw new BackupError("backup-damaged", `no pack holds ${key}`);
    packs.add(pack);
  }
  await using files = new AsyncDisposableStack();
  const open = new Map<string, DiskFile>();
  for (const name of request.names) {
    const options = { access: "read-write", create: true } as const;
    const file = files.use(await deps.disk.open(`${folder}/${name}`, options));
    await file.truncate(0);
    open.set(name, file);
  }
  for (const id of packs) {
    const index = await readPackIndex(target, id, deps.hashes);
    const bytes = await readPack(target, index, deps.hashes);
    for (const blob of blobsOf(index, bytes, deps.hashes)) {
      const wanted = places.get(blob.key);
      if (wanted === undefined) continue;
      if (blob.key !== blockKey(blob.sha256)) {
        throw new BackupError("backup-damaged", `pack ${id} holds something else as ${blob.key}`);
      }
      for (const place of wanted) {
        await must(open.get(place.file)).writeAt([blob.bytes], place.offset);
      }
      places.delete(blob.key);
    }
  }
  for (const key of places.keys()) throw new BackupError("backup-damaged", `no pack holds ${key}`);
  for (const [name, file] of open) {
    const { sizeBytes } = must(sizesOf(manifest).find((size) => size.name === name));
    if ((await file.sizeBytes()) !== sizeBytes) {
      throw new BackupError("backup-damaged", `${name} is not as long as it was`);
    }
    await file.sync();
  }
  await deps.disk.syncFolder(folder);
}

function placesOf(
  manifest: RestoreFilesRequest["manifest"],
  names: readonly string[],
): Map<string, Place[]> {
  const places = new Map<string, Place[]>();
  const add = (sha256: string, place: Place): void => {
    const key = blockKey(sha256);
    const known = places.get(key);
    if (known === undefined) places.set(key, [place]);
    else known.push(place);
  };
  for (const { name, blocks } of manifest.databases) {
    if (!names.includes(name)) continue;
    for (const [number, block] of blocks.entries()) {
      add(block, { file: name, offset: number * BLOCK_BYTES });
    }
  }
  for (const { name, block } of manifest.files) {
    if (names.includes(name)) add(block, { file: name, offset: 0 });
  }
  return places;
}

function sizesOf(
  manifest: RestoreFilesRequest["manifest"],
): readonly { readonly name: string; readonly sizeBytes: number }[] {
  return [...manifest.databases, ...manifest.files];
}
