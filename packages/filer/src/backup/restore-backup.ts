import type { Disk, Hashes, Random, SqlDatabase } from "@kelp/base";
import {
  type Fid,
  type NeedleStore,
  type VolumeClient,
  type VolumeId,
  filerCollection,
  formatFid,
  isFilerCollection,
  parseFid,
} from "@kelp/wire";
import { BackupError } from "../errors.ts";
import { NARROW_VOLUME_LIVE_BYTES_MAX, RESTORE_APPENDS_IN_FLIGHT_MAX } from "../limits.ts";
import type { BackupTarget } from "./backup-target.ts";
import { FreedManifests } from "./freed-manifests.ts";
import type { BackupManifest } from "./backup-manifest.ts";
import { type LooseList, fidOfLoose } from "./loose-list.ts";
import { decodeLooseNeedle, looseName } from "./loose-needle.ts";
import { NamedChunks, checkDatabase } from "./named-chunks.ts";
import type { PackIndex } from "./pack-index.ts";
import { blobsOf, chunkKey, looseKey, readPack, readPackIndex } from "./pack.ts";
import { type PackCatalogue, loadCatalogue } from "./pack-catalogue.ts";
import { restoreFiles } from "./restore-files.ts";
import { restoreList } from "./restored-list.ts";
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
  readonly volumes: VolumeClient & Pick<NeedleStore, "writeNeedle">;
  readonly onProgress?: (progress: {
    /** Loose needles among them. */
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
  using restoredList = await restoreList(deps, {
    manifest,
    target,
    catalogue,
    folder: request.workFolder,
  });
  const { list } = restoredList;
  const storeId = deps.random.uuid();
  await makeVolumes(request, { fids: wantedFids(chunks, freed), list, storeId });
  const restored = await restoreChunks(deps, request, { catalogue, chunks, freed, list });
  const freedCount = freed.fids.filter((fid) => isFreedThere(fid)).length;
  const wantedCount = chunks.count + freedCount + list.count;
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

/**
 * Content of entries, of the source's own collection or of none, goes into the new store's own: what is left over there is swept. A volume with
 * loose needles keeps its collection, and nothing in it is ever swept.
 */
async function makeVolumes(
  request: RestoreRequest,
  {
    fids,
    list,
    storeId,
  }: { readonly fids: Iterable<Fid>; readonly list: LooseList; readonly storeId: string },
): Promise<void> {
  const known = new Map(request.manifest.volumes.map((volume) => [volume.id, volume]));
  const loose = new Set<VolumeId>();
  for (const name of list.all()) loose.add(fidOfLoose(name).volumeId);
  const wanted = new Set(loose);
  for (const { volumeId } of fids) wanted.add(volumeId);
  for (const volumeId of wanted) {
    const { collection = "", replicaPlacement, ttl, liveBytes = 0 } = known.get(volumeId) ?? {};
    const isOwn = !loose.has(volumeId) && (collection === "" || isFilerCollection(collection));
    // The kind of disk is left out: the new folder may have no such disk, and content goes before wishes.
    await request.volumes.createVolume(volumeId, {
      collection: isOwn ? filerCollection(storeId) : collection,
      ...(replicaPlacement === undefined ? {} : { replicaPlacement }),
      ...(ttl === undefined ? {} : { ttl }),
      ...(liveBytes > NARROW_VOLUME_LIVE_BYTES_MAX ? { isLarge: true } : {}),
    });
  }
}

async function restoreChunks(
  deps: RestoreDeps,
  request: RestoreRequest,
  from: WantedFrom,
): Promise<number> {
  let restored = 0;
  const chunkCount = from.chunks.count + from.list.count;
  for (const id of request.manifest.packs) {
    const pack = await readPackIndex(request.target, id, deps.hashes);
    const wanted = wantedChunks(pack, request.manifest, from);
    if (wanted.size === 0) continue;
    const bytes = await readPack(request.target, pack, deps.hashes);
    let running: Promise<void>[] = [];
    for (const blob of blobsOf(pack, bytes, deps.hashes)) {
      const piece = wanted.get(blob.key);
      if (piece === undefined) continue;
      running.push(storePiece(request, piece, blob.bytes));
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

async function storePiece(
  { volumes }: RestoreRequest,
  { fid, looseAs }: WantedPiece,
  bytes: Uint8Array,
): Promise<void> {
  if (looseAs === undefined) return volumes.append(fid, bytes);
  const needle = decodeLooseNeedle(bytes);
  const { appendedNs, ...content } = needle;
  if (looseName(fid, { sizeBytes: content.data.length, appendedNs }) !== looseAs) {
    throw new BackupError("backup-damaged", `something else stands in a pack as needle ${looseAs}`);
  }
  await volumes.writeNeedle(fid, content);
}

interface WantedPiece {
  readonly fid: Fid;
  /** Its name in the list, where it is a loose needle. */
  readonly looseAs?: string;
}

interface WantedFrom {
  readonly catalogue: PackCatalogue;
  readonly chunks: NamedChunks;
  readonly freed: FreedManifests;
  readonly list: LooseList;
}

/** Chunks that the restored database names and needles that the list does, where this pack is the one that they are taken from. */
function wantedChunks(
  pack: PackIndex,
  { storeId }: BackupManifest,
  { catalogue, chunks, freed, list }: WantedFrom,
): Map<string, WantedPiece> {
  const wanted = new Map<string, WantedPiece>();
  const prefix = chunkKey(storeId, "");
  const loosePrefix = looseKey(storeId, "");
  for (const { key } of pack.blobs) {
    if (key.startsWith(loosePrefix) && catalogue.packOf(key) === pack.id) {
      const looseAs = key.slice(loosePrefix.length);
      if (list.has(looseAs)) wanted.set(key, { fid: fidOfLoose(looseAs), looseAs });
    }
    if (!key.startsWith(prefix)) continue;
    const fid = parseFid(key.slice(prefix.length));
    if (fid === undefined || !(chunks.has(fid) || freed.has(fid))) continue;
    if (catalogue.packOf(chunkKey(storeId, formatFid(fid))) === pack.id) {
      wanted.set(key, { fid });
    }
  }
  return wanted;
}
