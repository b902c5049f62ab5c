/** Everything of Kelp in one process: the composition root. */
export { StartError, type StartErrorCode } from "./errors.ts";
export { type ProgramFacts, runServer } from "./run-server.ts";
export type { ServerSettings, VolumeTierSettings } from "./settings.ts";
export { type CheckedFolder, type FolderFinding, checkFolder } from "./check/check-folder.ts";
export { openLog } from "./process/log.ts";
