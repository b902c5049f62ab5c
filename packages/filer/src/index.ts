/** The namespace: entries in trees, their bodies, uploads and the change log. */
export type { CheckFinding, CheckOptions } from "./check/finding.ts";
export type { CollectOptions, CollectReport } from "./collect/collector.ts";
export type { SweepOptions } from "./collect/orphan-sweep.ts";
export {
  BackupError,
  type BackupErrorCode,
  FilerError,
  type FilerErrorCode,
  errorCodes,
  SealingError,
  type SealingErrorCode,
} from "./errors.ts";
export { type FilerOptions, type OpenFiler, openFiler } from "./filer.ts";
export {
  type GatewayFiler,
  type GatewayFilerOptions,
  openGatewayFiler,
} from "./gateway/gateway-filer.ts";
export { type OtherBodies, bodiesOfGateways } from "./gateway/gateways.ts";
export {
  GARBAGE_GRACE_MS,
  INLINE_BYTES_MAX,
  READ_AHEAD_BUDGET_BYTES,
  WRITE_BUDGET_BYTES,
} from "./limits.ts";
export { KeyRing } from "./seal/key-ring.ts";
export { LocalMasterKeys, masterKeyId } from "./seal/local-master-keys.ts";
export { type OpenKeyRing, openKeyRing, ringMasterKeys } from "./seal/open-ring.ts";
export type {
  BackupSource,
  BackupVolume,
  ChunkRead,
  DamagedVolume,
  NamedFile,
  NeedleRead,
} from "./backup/backup-source.ts";
export { encodeLooseNeedle } from "./backup/loose-needle.ts";
export type { BackupTarget, PieceRange } from "./backup/backup-target.ts";
export { chosenBackup } from "./backup/chosen-backup.ts";
export { FolderTarget } from "./backup/folder-target.ts";
export type { BackupProgress } from "./backup/backup-request.ts";
export { type BackupReport, makeBackup } from "./backup/make-backup.ts";
export type { BackupManifest } from "./backup/backup-manifest.ts";
export { backupIds, openTarget, readManifest } from "./backup/manifest.ts";
export { pruneBackups } from "./backup/prune-backups.ts";
export { restoreBackup } from "./backup/restore-backup.ts";
export {
  TargetLock,
  type TargetLockDeps,
  type TargetUse,
  type TargetUser,
} from "./backup/target-lock.ts";
export { TARGET_LOCK_RENEW_MS } from "./limits.ts";
export { storeIdOf } from "./backup/store-id.ts";
export { verifyBackup } from "./backup/verify-backup.ts";
export { type EntryScrub, scrubEntries } from "./check/scrub-entries.ts";
export type { NeedleName, NeedleOwner } from "./check/owners.ts";
