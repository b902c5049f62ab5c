import { PLAIN_VOLUME, type RemoteBlobs, type VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { volumeFileBytesMax } from "../limits.ts";
import { UNFINISHED } from "../erasure/shard-names.ts";
import type { SealedContent } from "../sealed/sealed-content.ts";
import { SealedVolume } from "../sealed/sealed-volume.ts";
import type { DiskFolder } from "../store/disk-folder.ts";
import {
  NEW_SUPERBLOCK,
  SUPERBLOCK_BYTES,
  type Superblock,
  parseSuperblock,
} from "../superblock/superblock.ts";
import { volumeFileName } from "../volume/file-name.ts";
import { type VolumeDeps, unreachableBytes } from "../volume/open-files.ts";
import { type VolumeInfo, readVolumeInfo } from "../volume/volume-info.ts";
import { RemoteFile } from "./remote-file.ts";
import { RemoteIndex } from "./remote-index.ts";

/** Remote stores by the names that they are configured with. */
export type RemoteStores = ReadonlyMap<string, RemoteBlobs>;

export interface RemoteVolumePlace {
  readonly id: VolumeId;
  readonly collection: string;
  readonly disk: DiskFolder;
}

/** What a remote volume is made of. */
export interface RemoteContent extends SealedContent {
  readonly file: RemoteFile;
  readonly info: VolumeInfo;
}

/**
 * Opens a volume whose file lives elsewhere by its information file and its index here. The store there need not answer yet.
 * Throws `no-such-backend`, `unsupported-format`, or `DiskError`.
 */
export async function openRemote(
  deps: VolumeDeps,
  place: RemoteVolumePlace,
  stores: RemoteStores,
): Promise<SealedVolume> {
  const { id, collection, disk } = place;
  const base = `${disk.folder}/${volumeFileName(collection, id)}`;
  const info = await readVolumeInfo(deps.disk, base);
  const file = new RemoteFile(placeOf(place, info, stores));
  const sizeBytesMax = volumeFileBytesMax(info.offsetBytes);
  if (file.sizeBytes() > sizeBytesMax) {
    const found = unreachableBytes(file.sizeBytes(), sizeBytesMax);
    throw new VolumeError("unsupported-format", `Cannot open volume ${base}.dat: ${found}`);
  }
  const unfinished = `${base}.idx${UNFINISHED}`;
  // It was whole before the volume file went, and is what the move was about to put in place.
  if (await deps.disk.exists(unfinished)) {
    await deps.disk.rename(unfinished, `${base}.idx`);
    await deps.disk.syncFolder(disk.folder);
  }
  const index = await RemoteIndex.open(
    await deps.disk.open(`${base}.idx`, { access: "read-write" }),
    deps.log,
  );
  const superblock = await readSuperblock(deps, file);
  const content: RemoteContent = {
    file,
    index,
    info,
    version: superblock.version,
    isComplete: true,
    createdMs: 0,
    modifiedMs: (info.files[0]?.modifiedSec ?? 0) * 1000,
    traits: () => ({
      ...PLAIN_VOLUME,
      version: superblock.version,
      ttl: superblock.ttl,
      compactionRevision: superblock.compactionRevision,
      replicaPlacement: info.replicaPlacement ?? superblock.replicaPlacement,
      disk: disk.index,
      diskType: disk.diskType,
      form: { kind: "remote", backend: file.place.backend, key: file.place.key },
    }),
  };
  return new SealedVolume({ id, collection, content, clock: deps.clock, hashes: deps.hashes });
}

/** The content of a volume that `openRemote` made; `undefined` of any other. */
export function remoteContentOf(volume: unknown): RemoteContent | undefined {
  if (!(volume instanceof SealedVolume)) return undefined;
  const { content } = volume;
  return isRemoteContent(content) ? content : undefined;
}

function isRemoteContent(content: SealedContent): content is RemoteContent {
  return content.file instanceof RemoteFile;
}

function placeOf(place: RemoteVolumePlace, info: VolumeInfo, stores: RemoteStores) {
  const [remote] = info.files;
  if (remote === undefined || info.files.length > 1 || info.offsetBytes !== 4) {
    throw new VolumeError(
      "unsupported-format",
      `Cannot open volume ${place.id}: its information file does not name one remote file`,
    );
  }
  const blobs = stores.get(remote.backendId);
  if (blobs === undefined) {
    throw new VolumeError(
      "no-such-backend",
      `Cannot open volume ${place.id}: its file is in the remote store ${remote.backendId}, which is not configured`,
    );
  }
  const { backendId: backend, key, sizeBytes } = remote;
  return { blobs, backend, key, sizeBytes };
}

async function readSuperblock(deps: VolumeDeps, file: RemoteFile): Promise<Superblock> {
  const head = Buffer.alloc(SUPERBLOCK_BYTES);
  try {
    const count = await file.readAt(head, 0);
    return parseSuperblock(head.subarray(0, count), file.path);
  } catch (error) {
    deps.log.error("a remote volume file cannot be read now", { path: file.path, error });
    return NEW_SUPERBLOCK;
  }
}
