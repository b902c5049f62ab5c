/** For tests only: worlds of a test's own. */
export { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";
