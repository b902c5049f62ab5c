/** For tests only: worlds of a test's own. */
export type { DiskEvent, DiskImage } from "./disk-events.ts";
export { PowerCuts } from "./power-cuts.ts";
export { FaultyDisk } from "./faulty-disk.ts";
export { type MirrorFile, PowerCutDisk, type PowerCutDiskOptions } from "./power-cut-disk.ts";
export { SeededRandom } from "./seeded-random.ts";
export { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";
export { sleepingClock } from "./sleeping-clock.ts";
