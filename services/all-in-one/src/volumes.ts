import type { Foreground, Log } from "@kelp/base";
import { systemClock, systemDisk, systemHashes, systemRandom } from "@kelp/base/platform";
import { FolderBlobs, VolumeError, type VolumeStore, openVolumeStore } from "@kelp/volume";
import { StartError } from "./errors.ts";
import type { DataFolder } from "./folder/data-folder.ts";
import { type VolumeFolderSettings, volumeFolders } from "./folder/volume-folders.ts";
import type { VolumeTierSettings } from "./settings.ts";

/** Why the volumes of a data folder cannot be opened at all; a disk that is gone is no such reason. */
const START_CODES = ["folder-in-use", "folder-used-twice", "catalogue-unreadable"] as const;

/** Opens the volumes of a data folder, in its own folder of them or in those given. Throws `StartError`. */
export async function openVolumes(options: {
  readonly folder: DataFolder;
  readonly folders: readonly VolumeFolderSettings[] | undefined;
  readonly tiers?: readonly VolumeTierSettings[];
  readonly freeBytesFloor: number;
  readonly volumeSizeBytesMax?: number;
  /** Whom jobs give way to. */
  readonly foreground?: Foreground;
  readonly log: Log;
}): Promise<VolumeStore> {
  const { folder, freeBytesFloor, volumeSizeBytesMax } = options;
  const remotes = new Map(
    (options.tiers ?? []).map(({ name, folder: path }) => [
      name,
      new FolderBlobs(systemDisk, path),
    ]),
  );
  const own = { path: folder.file("volumes"), diskType: "", volumeCountMax: undefined };
  try {
    return await openVolumeStore({
      disk: systemDisk,
      clock: systemClock,
      hashes: systemHashes,
      log: options.log,
      foreground: options.foreground,
      folders: volumeFolders(options.folders ?? [own], {
        disk: systemDisk,
        random: systemRandom,
        freeBytesFloor,
      }),
      remotes,
      catalogueFile: folder.file("catalogue"),
      ...(volumeSizeBytesMax === undefined ? {} : { volumeSizeBytesMax }),
    });
  } catch (error) {
    const code = error instanceof VolumeError ? error.code : undefined;
    const startCode = START_CODES.find((each) => each === code);
    if (startCode === undefined || !(error instanceof VolumeError)) throw error;
    throw new StartError(startCode, error.message, { cause: error });
  }
}
