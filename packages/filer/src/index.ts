/** The namespace: entries in trees, their bodies, uploads and the change log. */
export type { CheckFinding, CheckOptions } from "./check/check.ts";
export type { CollectOptions, CollectReport } from "./collect/collector.ts";
export { FilerError, type FilerErrorCode, SealingError, type SealingErrorCode } from "./errors.ts";
export { type FilerOptions, type OpenFiler, openFiler } from "./filer.ts";
export {
  GARBAGE_GRACE_MS,
  INLINE_BYTES_MAX,
  READ_AHEAD_BUDGET_BYTES,
  WRITE_BUDGET_BYTES,
} from "./limits.ts";
export { KeyRing } from "./seal/key-ring.ts";
export { LocalMasterKeys, masterKeyId } from "./seal/local-master-keys.ts";
export { type OpenKeyRing, openKeyRing, ringMasterKeys } from "./seal/open-ring.ts";
