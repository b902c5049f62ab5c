/** A reader of volume files written from the description of their format alone: it shares no code with what it checks. */
export { type ByteSource, sourceOf } from "./byte-source.ts";
export { type FolderReport, checkVolumeFolder } from "./folder.ts";
export { checkShards } from "./shards.ts";
export { type VolumeReport, checkVolume } from "./volume.ts";
export { parseVolumeInfo } from "./volume-info.ts";
