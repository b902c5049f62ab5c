/** For tests only: worlds of a test's own. */
export { FaultyDisk } from "./faulty-disk.ts";
export { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";
