import type { Disk, Hashes, Random, SqlDatabase } from "@kelp/base";
import {
  type Fid,
  type VolumeClient,
  filerCollection,
  formatFid,
  isFilerCollection,
  parseFid,
} from "@kelp/wire";
import { BackupError } from "../errors.ts";
import { RESTORE_APPENDS_IN_FLIGHT_MAX } from "../limits.ts";
import type { BackupTarget } from "./backup-target.ts";
import { FreedManifests } from "./freed-manifests.ts";
import type { BackupManifest } from "./manifest.ts";
import { NamedChunks, checkDatabase } from "./named-chunks.ts";
import { type PackIndex, blobsOf, chunkKey, readPack, readPackIndex } from "./pack.ts";
import { type PackCatalogue, loadCatalogue } from "./pack-catalogue.ts";
import { restoreFiles } from "./restore-files.ts";
import { beginRestoredStore } from "./store-id.ts";

export interface RestoreDeps {
  readonly disk: Disk;
  readonly random: Pick<Random, "uuid">;
  readonly hashes: Pick<Hashes, "digest">;
  readonly openDatabase: (path: string) => SqlDatabase;
}

export interface RestoreRequest {
  readonly manifest: BackupManifest;
  readonly target: BackupTarget;
  /** The data folder that is made. The caller sees to it that nobody takes it for whole before this resolves. */
  readonly folder: string;
  /** An empty folder for what is needed on the way, which the caller removes. */
  readonly workFolder: string;
  readonly filerDatabase: string;
  /** The volumes of the new folder, none yet, and large enough. */
  readonly volumes: VolumeClient;
  readonly onProgress?: (progress: {
    readonly chunksDone: number;
    readonly chunkCount: number;
  }) => void;
}

/**
 * Makes databases, files and volumes as they were at the position of the backup. Every byte is checked against its
 * hash; nothing may be missing but what the backup itself says is. Durable when resolved. Throws `BackupError`.
 */
export async function restoreBackup(deps: RestoreDeps, request: RestoreRequest): Promise<void> {
  const { manifest, target, folder } = request;
  using scratch = deps.openDatabase(`${request.workFolder}/catalogue.db`);
  const { hashes } = deps;
  const catalogue = await loadCatalogue(target, manifest.packs, { scratch, hashes });
  const names = [...manifest.databases, ...manifest.files].map(({ name }) => name);
  await restoreFiles(deps, { manifest, target, catalogue, folder, names });
  for (const { name } of manifest.databases) {
    using database = deps.openDatabase(`${folder}/${name}`);
    checkDatabase(database, name, "backup-damaged");
  }
  using filer = deps.openDatabase(`${folder}/${request.filerDatabase}`);
  const chunks = new NamedChunks(filer);
  const freed = new FreedManifests(filer, chunks);
  const isFreedThere = (fid: Fid): boolean =>
    catalogue.packOf(chunkKey(manifest.storeId, formatFid(fid))) !== undefined;
  const storeId = deps.random.uuid();
  await makeVolumes(request, { fids: wantedFids(chunks, freed), storeId });
  const restored = await restoreChunks(deps, request, { catalogue, chunks, freed });
  const wantedCount = chunks.count + freed.fids.filter((fid) => isFreedThere(fid)).length;
  const missing = wantedCount - restored - manifest.damagedCount;
  if (missing !== 0) {
    throw new BackupError("backup-damaged", `${Math.abs(missing)} chunks are missing or too many`);
  }
  freed.keepOnly(isFreedThere);
  beginRestoredStore(filer, storeId);
}

function* wantedFids(chunks: NamedChunks, freed: FreedManifests): Generator<Fid> {
  yield* chunks.all();
  yield* freed.fids;
}

/** Content of the source's own collection, or of none, goes into the new store's own: what is left over there is swept. */
async function makeVolumes(
  request: RestoreRequest,
  { fids, storeId }: { readonly fids: Iterable<Fid>; readonly storeId: string },
): Promise<void> {
  const known = new Map(request.manifest.volumes.map((volume) => [volume.id, volume]));
  const made = new Set<number>();
  for (const { volumeId } of fids) {
    if (made.has(volumeId)) continue;
    made.add(volumeId);
    const { collection = "", replicaPlacement, ttl } = known.get(volumeId) ?? {};
    // The kind of disk is left out: the new folder may have no such disk, and content goes before wishes.
    await request.volumes.createVolume(volumeId, {
      collection:
        collection === "" || isFilerCollection(collection) ? filerCollection(storeId) : collection,
      ...(replicaPlacement === undefined ? {} : { replicaPlacement }),
      ...(ttl === undefined ? {} : { ttl }),
    });
  }
}

async function restoreChunks(
  deps: RestoreDeps,
  request: RestoreRequest,
  from: WantedFrom,
): Promise<number> {
  let restored = 0;
  const chunkCount = from.chunks.count;
  for (const id of request.manifest.packs) {
    const pack = await readPackIndex(request.target, id, deps.hashes);
    const wanted = wantedChunks(pack, request.manifest, from);
    if (wanted.size === 0) continue;
    const bytes = await readPack(request.target, pack, deps.hashes);
    let running: Promise<void>[] = [];
    for (const blob of blobsOf(pack, bytes, deps.hashes)) {
      const fid = wanted.get(blob.key);
      if (fid === undefined) continue;
      running.push(request.volumes.append(fid, blob.bytes));
      if (running.length === RESTORE_APPENDS_IN_FLIGHT_MAX) {
        await Promise.all(running);
        running = [];
      }
    }
    await Promise.all(running);
    restored += wanted.size;
    request.onProgress?.({ chunksDone: restored, chunkCount });
  }
  return restored;
}

interface WantedFrom {
  readonly catalogue: PackCatalogue;
  readonly chunks: NamedChunks;
  readonly freed: FreedManifests;
}

/** Chunks that the restored database names, where this pack is the one that they are taken from. */
function wantedChunks(
  pack: PackIndex,
  { storeId }: BackupManifest,
  { catalogue, chunks, freed }: WantedFrom,
): Map<string, Fid> {
  const wanted = new Map<string, Fid>();
  const prefix = chunkKey(storeId, "");
  for (const { key } of pack.blobs) {
    if (!key.startsWith(prefix)) continue;
    const fid = parseFid(key.slice(prefix.length));
    if (fid === undefined || !(chunks.has(fid) || freed.has(fid))) continue;
    if (catalogue.packOf(chunkKey(storeId, formatFid(fid))) === pack.id) wanted.set(key, fid);
  }
  return wanted;
}
