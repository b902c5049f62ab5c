/** For tests only: a filer in memory, and the twins it stands on. */
export { ManualClock } from "./manual-clock.ts";
export { MemoryVolumeError, MemoryVolumes } from "./memory-volumes.ts";
export { type FilerWorld, TREE, openFilerWorld, pathOf } from "./world.ts";
export { codeOf, fileOf, get, noise, openTreeWorld, pieces, read, write } from "./world-steps.ts";
export { openSealedWorld, openTestRing, testMasterKeys } from "./sealed-world.ts";
export { BackupWorld, otherVolume } from "./backup-world.ts";
