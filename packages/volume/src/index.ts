/** Stored blobs: volumes of needles in some folders, behind the port `VolumeClient`. */
export { FolderBlobs } from "./tier/folder-blobs.ts";
export { VolumeError, type VolumeErrorCode } from "./errors.ts";
export {
  FULL_GRACE_BYTES_DEFAULT,
  NEEDLE_DATA_BYTES_MAX,
  VOLUME_FILE_BYTES_MAX,
  VOLUME_SIZE_BYTES_DEFAULT,
} from "./limits.ts";
export { cataloguedFolders } from "./store/catalogue.ts";
export { rebuildIndexes } from "./store/rebuild-indexes.ts";
export type { FolderHold, VolumeFolder } from "./store/disk-folder.ts";
export type { VolumeStoreOptions } from "./store/store-options.ts";
export { VolumeStore, openVolumeStore } from "./store/volume-store.ts";
export type { IndexDifference, IndexRebuild, RebuiltIndex } from "./volume/rebuild-index.ts";
export type { ScrubRound, VacuumRound } from "./store/maintenance.ts";
export { GatewayVolumes } from "./lending/gateway-volumes.ts";
export type { Borrower } from "./lending/lending.ts";
export { Pace as JobPace } from "./pace/pace.ts";
export { serveVolumes } from "./lending/serve-gateway.ts";
