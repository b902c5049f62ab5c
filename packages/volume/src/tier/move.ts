import type { JobOptions, VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { UNFINISHED } from "../erasure/shard-names.ts";
import { writeSortedIndex } from "../erasure/write-sorted-index.ts";
import { JOB_BYTES_PER_SEC_DEFAULT, WALK_BUFFER_BYTES } from "../limits.ts";
import type { JobContext } from "../sealed/job-context.ts";
import { jobError, wrongForm } from "../sealed/job-error.ts";
import { removePlainFiles } from "../sealed/plain-files.ts";
import { restorePlain } from "../sealed/restore-plain.ts";
import { sealPlain } from "../sealed/seal-plain.ts";
import { SealedVolume } from "../sealed/sealed-volume.ts";
import type { VolumeSlot } from "../store/volume-table.ts";
import { Pace } from "../pace/pace.ts";
import { volumeFileName } from "../volume/file-name.ts";
import { readVolumeInfo, writeVolumeInfo } from "../volume/volume-info.ts";
import type { VolumeContent } from "../volume/volume-content.ts";
import { type RemoteStores, openRemote, remoteContentOf } from "./open-remote.ts";
import { remoteFailed } from "./remote-file.ts";

export interface TierContext extends JobContext {
  readonly remotes: RemoteStores;
}

/**
 * Moves the file of a full or read-only plain volume to a remote store. Order, for a crash at any moment:
 * 1. the file is put there, read back and compared; an index of what lives is written under an unfinished name;
 * 2. the information file names the remote file; while the volume file is here, it counts all the same;
 * 3. the volume file is removed: from here on the remote one counts, with the index of 1, which gets its name.
 */
export async function moveToRemote(
  context: TierContext,
  id: VolumeId,
  slot: VolumeSlot,
  options: JobOptions & { readonly backend: string },
): Promise<void> {
  const { deps, table } = context;
  const { collection } = slot.volume;
  const { folder } = slot.disk;
  const fileName = volumeFileName(collection, id);
  const base = `${folder}/${fileName}`;
  const blobs = context.remotes.get(options.backend);
  if (blobs === undefined) {
    throw new VolumeError(
      "no-such-backend",
      `Cannot move volume ${id}: no remote store is called ${options.backend}`,
    );
  }
  const pace = paceOf(context, options);
  const sealed = await sealPlain(context, id, { slot, job: "upload", pace });
  const { content } = sealed.volume;
  const key = `${fileName}-${deps.clock.nowNs().toString(16)}.dat`;
  const removeBlob = async (): Promise<void> => {
    try {
      await blobs.remove(key);
    } catch (error) {
      deps.log.warn("a remote file of no use cannot be removed", { key, error });
    }
  };
  try {
    await dropIndexCopy(context, base);
    await upload(content, { put: (source) => blobs.put(key, source, options.signal), pace });
    await compare(content, { read: (target, at) => blobs.read(key, target, at), pace, key });
    await writeSortedIndex(deps, `${base}.idx`, content.index, {
      pace,
      isNamed: false,
    });
    await deps.disk.syncFolder(folder);
  } catch (error) {
    await removeBlob();
    sealed.release();
    throw jobError("upload", id, error);
  }
  try {
    const info = await readVolumeInfo(deps.disk, base);
    const remote = {
      backendType: blobs.kind,
      backendId: options.backend,
      key,
      sizeBytes: content.endBytes,
      modifiedSec: Math.floor(sealed.volume.newestNeedleMs / 1000),
      extension: ".dat",
    };
    await writeVolumeInfo(deps.disk, base, info, { files: [remote] });
    await removePlainFiles(deps.disk, { folder, fileName, keep: ["idx", `idx${UNFINISHED}`] });
    const next = await openRemote(deps, { id, collection, disk: slot.disk }, context.remotes);
    await table.exchange(id, next);
    context.announce(id, next);
  } catch (error) {
    // A restart may find either: the volume takes no changes until then.
    throw jobError("upload", id, error);
  }
}

/** Brings the file of a volume back, verified, and removes the remote one. Removals are refused meanwhile. */
export async function moveFromRemote(
  context: TierContext,
  id: VolumeId,
  slot: VolumeSlot,
  options: JobOptions,
): Promise<void> {
  const { volume, disk } = slot;
  const content = remoteContentOf(volume);
  if (content === undefined || !(volume instanceof SealedVolume)) {
    throw wrongForm("download", id, volume.status().form.kind);
  }
  const { deps, table } = context;
  const { collection } = volume;
  const { blobs, key } = content.file.place;
  const frozen = await volume.freeze("download");
  let isPlaced = false;
  try {
    const target = { id, collection, disk };
    const place = await restorePlain(context, target, { content, pace: paceOf(context, options) });
    isPlaced = true;
    await place();
    const base = `${disk.folder}/${volumeFileName(collection, id)}`;
    await writeVolumeInfo(deps.disk, base, await readVolumeInfo(deps.disk, base), { files: [] });
    const next = await context.openPlain(target);
    await table.exchange(id, next);
    context.announce(id, next);
  } catch (error) {
    // A removal would be lost if the next opening takes the volume file.
    if (!isPlaced) frozen[Symbol.dispose]();
    throw jobError("download", id, error);
  }
  try {
    await blobs.remove(key);
  } catch (error) {
    throw remoteFailed(`remove ${key}, which is not needed any more`, error);
  }
}

function paceOf(context: JobContext, options: JobOptions): Pace {
  return new Pace(context.deps, {
    bytesPerSec: options.bytesPerSec ?? JOB_BYTES_PER_SEC_DEFAULT,
    signal: options.signal,
  });
}

async function dropIndexCopy(context: JobContext, base: string): Promise<void> {
  const { disk } = context.deps;
  const path = `${base}.idx${UNFINISHED}`;
  if (await disk.exists(path)) await disk.remove(path);
}

async function upload(
  content: VolumeContent,
  target: {
    readonly put: (source: {
      readonly sizeBytes: number;
      readAt(target: Uint8Array, offset: number): Promise<number>;
    }) => Promise<void>;
    readonly pace: Pace;
  },
): Promise<void> {
  const { data, endBytes } = content;
  try {
    await target.put({
      sizeBytes: endBytes,
      readAt: async (bytes, offset) => {
        await target.pace.spend(bytes.length);
        return data.readAt(bytes.subarray(0, Math.max(0, endBytes - offset)), offset);
      },
    });
  } catch (error) {
    throw remoteFailed("put a volume file into a remote store", error);
  }
}

/** Reads all of the remote file back: it must hold what the local one holds. */
async function compare(
  content: VolumeContent,
  remote: {
    readonly read: (target: Uint8Array, offset: number) => Promise<number>;
    readonly pace: Pace;
    readonly key: string;
  },
): Promise<void> {
  const here = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  const there = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  for (let at = 0; at < content.endBytes; at += here.length) {
    const length = Math.min(here.length, content.endBytes - at);
    const wanted = here.subarray(0, length);
    const found = there.subarray(0, length);
    await content.data.readAt(wanted, at);
    let count: number;
    try {
      count = await remote.read(found, at);
    } catch (error) {
      throw remoteFailed(`read ${remote.key} back`, error);
    }
    if (count !== length || Buffer.compare(wanted, found) !== 0) {
      throw remoteFailed(
        `trust ${remote.key}: it holds other bytes than were put there`,
        undefined,
      );
    }
    await remote.pace.spend(2 * length);
  }
}
