/** Everything of Kelp in one process: the composition root. */
export { StartError, type StartErrorCode } from "./errors.ts";
export { runGateway } from "./gateways/gateway-process.ts";
export { type ProgramFacts, runServer } from "./run-server.ts";
export type { PortChoice, ServerSettings, VolumeTierSettings } from "./settings.ts";
export { type CheckedFolder, checkFolder } from "./check/check-folder.ts";
export type { FolderFinding } from "./check/folder-finding.ts";
export {
  type FolderBackupReport,
  backUpFolder,
  backupFailure,
  hasDamage,
  listBackups,
  verifyFolderBackup,
} from "./backup/folder-backup.ts";
export type { BackupManifest } from "@kelp/filer";
export { restoreFolder } from "./backup/folder-restore.ts";
export { type OpenedTarget, placeOf } from "./backup/open-target.ts";
export { makeMasterKeyFile } from "./keys/make-key-file.ts";
export { type RotatedKeys, folderMasterKeys, rotateMasterKey } from "./keys/master-keys.ts";
export { openLog } from "./process/log.ts";
