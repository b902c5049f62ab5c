import type { RemoteBlobs } from "@kelp/wire";
import type { BlockSizes } from "../erasure/layout.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import type { VolumeFolder } from "./disk-folder.ts";

export interface VolumeStoreOptions extends VolumeDeps {
  /** Remote stores for volume files, by name; none unless given. */
  readonly remotes?: ReadonlyMap<string, RemoteBlobs>;
  /** The one folder of volumes; made when absent. One store at a time may have it. Or give `folders`. */
  readonly folder?: string;
  /** Several folders, each a disk of its own. */
  readonly folders?: readonly VolumeFolder[];
  /** File that remembers which volume is in which folder, so that those of a disk that is gone can be named. */
  readonly catalogueFile?: string;
  /** A volume of this size is full: `VOLUME_SIZE_BYTES_DEFAULT` unless given, at most `VOLUME_FILE_BYTES_MAX`. */
  readonly volumeSizeBytesMax?: number;
  /** How far beyond that a full volume takes needles assigned earlier: `FULL_GRACE_BYTES_DEFAULT` unless given. */
  readonly fullGraceBytes?: number;
  /** Other than those of the format only in tests. */
  readonly shardBlocks?: BlockSizes | undefined;
}

export function foldersOf(options: VolumeStoreOptions): readonly VolumeFolder[] {
  if (options.folders !== undefined) return options.folders;
  return options.folder === undefined ? [] : [{ path: options.folder }];
}
