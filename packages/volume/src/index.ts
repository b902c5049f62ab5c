/** Stored blobs: volumes of needles in one folder, behind the port `VolumeClient`. */
export { VolumeError, type VolumeErrorCode } from "./errors.ts";
export {
  FULL_GRACE_BYTES_DEFAULT,
  NEEDLE_DATA_BYTES_MAX,
  VOLUME_FILE_BYTES_MAX,
  VOLUME_SIZE_BYTES_DEFAULT,
} from "./limits.ts";
export { VolumeStore, type VolumeStoreOptions, openVolumeStore } from "./store/volume-store.ts";
export { type IndexRebuild, rebuildIndexes } from "./store/rebuild-indexes.ts";
export type { IndexDifference, RebuiltIndex } from "./volume/rebuild-index.ts";
