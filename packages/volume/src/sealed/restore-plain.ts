import { assert } from "@kelp/base";
import { needleId, type Fid, type VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { REMOVE_COUNT_MAX, WALK_BUFFER_BYTES } from "../limits.ts";
import { readHeader } from "../needle/decode.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { HEADER_BYTES } from "../needle/layout.ts";
import type { DiskFolder } from "../store/disk-folder.ts";
import type { Pace } from "../pace/pace.ts";
import { SteadySync } from "../pace/steady-sync.ts";
import { extensionOf, volumeFileName } from "../volume/file-name.ts";
import { Volume } from "../volume/volume.ts";
import type { JobContext } from "./job-context.ts";
import type { SealedContent } from "./sealed-content.ts";

/** A folder beside the volumes: what is in it is unfinished. */
const RESTORING = ".restoring";

export interface RestoreTarget {
  readonly id: VolumeId;
  readonly collection: string;
  readonly disk: DiskFolder;
}

/**
 * Puts the volume file of a sealed volume together in a folder of its own, and makes a plain volume of it there: the index is
 * made of the file alone, every needle is verified, and what was removed since the volume was sealed gets its tombstone.
 * Returns what gives the files their place; from its call on a restart may find the plain volume.
 * Throws `out-of-space`, `shards-corrupt`, `needle-corrupt`, or `DiskError`; then nothing is in place.
 */
export async function restorePlain(
  context: JobContext,
  target: RestoreTarget,
  source: { readonly content: SealedContent; readonly pace: Pace },
): Promise<() => Promise<void>> {
  const { disk } = context.deps;
  const folder = `${target.disk.folder}/${RESTORING}`;
  const fileName = volumeFileName(target.collection, target.id);
  await refuseLackOfSpace(context, target, source.content);
  await disk.makeFolder(folder);
  await removeFiles(context, folder, fileName);
  try {
    await copyContent(context, `${folder}/${fileName}.dat`, source);
    const opened = await context.openPlain({ ...target, folder });
    try {
      assert(opened instanceof Volume, "a volume file is a plain volume");
      await reconcile(opened, target.id, source.content);
      await verify(opened, target.id, source.pace);
    } finally {
      await opened.close();
    }
  } catch (error) {
    await removeFiles(context, folder, fileName);
    throw error;
  }
  return () => giveNames(context, target, folder);
}

/** The volume file last: while it is not there the sealed volume counts. */
async function giveNames(
  context: JobContext,
  target: RestoreTarget,
  folder: string,
): Promise<void> {
  const { disk } = context.deps;
  const fileName = volumeFileName(target.collection, target.id);
  const made = (await disk.list(folder)).filter(
    (name) => extensionOf(name, fileName) !== undefined,
  );
  made.sort((left, right) => Number(left.endsWith(".dat")) - Number(right.endsWith(".dat")));
  for (const name of made) await disk.rename(`${folder}/${name}`, `${target.disk.folder}/${name}`);
  await disk.syncFolder(target.disk.folder);
  // Only then: a file that no folder names is lost, one that both name would be kept when its volume lets go of it.
  await disk.syncFolder(folder);
}

async function refuseLackOfSpace(
  context: JobContext,
  target: RestoreTarget,
  content: SealedContent,
): Promise<void> {
  const space = await target.disk.space(context.deps);
  const neededBytes = content.file.sizeBytes() + content.index.liveCount * 16;
  const freeBytes = (space?.availableBytes ?? 0) - target.disk.freeBytesFloor;
  if (freeBytes >= neededBytes) return;
  throw new VolumeError(
    "out-of-space",
    `Cannot put volume ${target.id} together in ${target.disk.folder}: ${neededBytes} bytes are needed, ${freeBytes} are free`,
  );
}

async function removeFiles(context: JobContext, folder: string, fileName: string): Promise<void> {
  const { disk } = context.deps;
  for (const name of await disk.list(folder)) {
    if (extensionOf(name, fileName) !== undefined) await disk.remove(`${folder}/${name}`);
  }
}

async function copyContent(
  context: JobContext,
  path: string,
  { content, pace }: { readonly content: SealedContent; readonly pace: Pace },
): Promise<void> {
  await using file = await context.deps.disk.open(path, {
    access: "read-write",
    create: true,
    exclusive: true,
  });
  const sizeBytes = content.file.sizeBytes();
  const buffer = Buffer.allocUnsafeSlow(WALK_BUFFER_BYTES);
  const syncing = new SteadySync(file);
  for (let at = 0; at < sizeBytes; at += buffer.length) {
    const bytes = buffer.subarray(0, Math.min(buffer.length, sizeBytes - at));
    const count = await content.file.readAt(bytes, at);
    assert(count === bytes.length, "a sealed file is read to its end");
    await file.writeAt([bytes], at);
    await syncing.wrote(bytes.length);
    await pace.spend(2 * bytes.length);
  }
  await syncing.finish();
}

/** Makes the volume know what the sealed one knew: needles that it finds live and the sealed one does not are removed. */
async function reconcile(volume: Volume, id: VolumeId, sealed: SealedContent): Promise<void> {
  const { index } = volume.content;
  for await (const entry of sealed.index.entries()) {
    const found = index.find(entry.idHigh, entry.idLow);
    const isSame = found?.offsetBytes === entry.offsetBytes && found.bodyBytes === entry.bodyBytes;
    if (isSame) continue;
    const text = joinIdHalves(entry.idHigh, entry.idLow).toString(16);
    throw new VolumeError(
      "shards-corrupt",
      `Cannot put volume ${id} together: needle ${text} is not where the index says`,
    );
  }
  const removed: { high: number; low: number; offsetBytes: number }[] = [];
  index.forEachLive((high, low, offsetBytes) => {
    if (sealed.index.find(high, low) === undefined) removed.push({ high, low, offsetBytes });
  });
  for (let at = 0; at < removed.length; at += REMOVE_COUNT_MAX) {
    const fids = removed.slice(at, at + REMOVE_COUNT_MAX).map(async (each): Promise<Fid> => {
      const head = Buffer.alloc(HEADER_BYTES);
      await volume.content.data.readAt(head, each.offsetBytes);
      const { cookie } = readHeader(head, 0);
      return { volumeId: id, needleId: needleId(joinIdHalves(each.high, each.low)), cookie };
    });
    await Promise.all(fids.map(async (fid) => volume.remove(await fid)));
  }
}

async function verify(volume: Volume, id: VolumeId, pace: Pace): Promise<void> {
  for await (const needle of volume.scan()) {
    if (needle.kind === "live") {
      await pace.spend(needle.sizeBytes);
      continue;
    }
    throw new VolumeError(
      "needle-corrupt",
      `Cannot put volume ${id} together: needle ${needle.needleId.toString(16)} is corrupt: ${needle.reason}`,
    );
  }
}
