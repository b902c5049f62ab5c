/** The HTTP interface of a volume server: needles, each by its file id. */
export { explainVolumeError } from "./explain-error.ts";
export { type VolumeDoor, type VolumeDoorOptions, openVolumeDoor } from "./volume-door.ts";
export type { WrittenNeedle } from "./write-needle.ts";
