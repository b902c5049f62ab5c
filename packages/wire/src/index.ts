/** Words that rooms share: ids, limits, and the ports through which engines and gateways meet. No I/O. */
export {
  type AccessKeyId,
  ENTRY_PATH_BYTES_MAX,
  type EntryPath,
  type Fid,
  type NeedleId,
  type TreeName,
  type UploadId,
  type VolumeId,
  formatFid,
  needleId,
  isSnapshotName,
  parseBucketName,
  parseEntryPath,
  parseFid,
  volumeId,
} from "./ids.ts";
export {
  CHUNK_SCRATCH_BYTES,
  CHUNK_SIZE_BYTES,
  DELETE_KEYS_MAX,
  LIST_KEYS_MAX,
  OBJECT_BYTES_MAX,
  OBJECT_PUT_BYTES_MAX,
  PART_BYTES_MIN,
  PART_NUMBER_MAX,
  TRANSACTION_BYTES_MAX,
  TRANSACTION_OPERATIONS_MAX,
  USER_METADATA_BYTES_MAX,
} from "./limits.ts";
export type { Filer, Namespace } from "./ports/filer/filer.ts";
export type {
  CreateTree,
  DeleteTree,
  QuotaChange,
  Tree,
  TreeKind,
  TreeQuota,
  TreeUsage,
  Trees,
} from "./ports/filer/trees.ts";
export type {
  Attributes,
  Chunk,
  Condition,
  ConditionFailed,
  Content,
  DeleteEntry,
  DeletedEntry,
  Entries,
  Entry,
  EntryHead,
  ListItem,
  ListPage,
  ListQuery,
} from "./ports/filer/entries.ts";
export type {
  AppendFile,
  Appends,
  BodySummary,
  ByteRange,
  EntryDescription,
  Files,
  WriteFile,
  WriteRefusal,
} from "./ports/filer/files.ts";
export type {
  CompleteRefusal,
  CompleteUpload,
  CreateUpload,
  ListUploadsPage,
  ListUploadsQuery,
  Part,
  Upload,
  Uploads,
  WritePart,
} from "./ports/filer/uploads.ts";
export type { CloneTree, Snapshot, Snapshots } from "./ports/filer/snapshots.ts";
export type {
  Change,
  ChangeFeed,
  ChangeKind,
  Changes,
  FeedItem,
  Subscribe,
} from "./ports/filer/changes.ts";
export {
  type AccessRequest,
  type Authorizer,
  type Decision,
  type Identity,
  type IdentityAdmin,
  type KeyDirectory,
  type KeyRecord,
  type Principal,
  type Statement,
  bucketArn,
  objectArn,
  serviceArn,
} from "./ports/iam.ts";
export { type DoorCaller, admitCaller, mayAccess, requireAccess } from "./door-access.ts";
export type {
  DoorAdmission,
  DoorGate,
  DoorGrant,
  DoorQuestion,
  NeedleTokens,
} from "./ports/door-gate.ts";
export {
  type DataKey,
  type GenerateDataKey,
  type KeyContext,
  type KeyManagement,
  KeyManagementError,
  type KeyManagementErrorCode,
  type TextSealer,
  type WrapKey,
  type WrappedKey,
} from "./ports/key-management.ts";
export type {
  AssignRequest,
  MasterAdmin,
  MasterClient,
  MasterStatus,
  VolumeLayout,
} from "./ports/master-client.ts";
export {
  type BucketCopies,
  type BucketInfo,
  type BucketQuotaChange,
  type CloneBucket,
  type ListObjectsQuery,
  type ObjectInfo,
  type ObjectPage,
  type ObjectReads,
  type ObjectStore,
  ObjectStoreError,
  type ObjectStoreErrorCode,
  type PutObject,
  type SnapshotInfo,
} from "./ports/object-store.ts";
export type {
  Admission,
  GateRequest,
  PeopleGate,
  PeopleHandler,
  SignedIn,
} from "./ports/people-gate.ts";
export type { NeedleContent, NeedleStore, ReadNeedle, StoredNeedle } from "./ports/needle-store.ts";
export type {
  Damage,
  DiskStatus,
  ErasureShape,
  FoundDamage,
  JobOptions,
  ScrubReport,
  VacuumReport,
  VolumeAdmin,
  VolumeFigures,
} from "./ports/volume-admin.ts";
export {
  type CreateVolume,
  NO_TTL,
  PLAIN_VOLUME,
  type ScannedNeedle,
  type Ttl,
  type TtlUnit,
  type VolumeClient,
  type VolumeForm,
  type VolumeState,
  type VolumeStateChange,
  type VolumeStateSource,
  type VolumeStatus,
  type VolumeTraits,
} from "./ports/volume-client.ts";
export type { BlobContent, RemoteBlobs } from "./ports/remote-blobs.ts";
export { formatTtl, parseTtl, ttlLengthMs, ttlSeconds } from "./ttl-text.ts";
export { filerCollection, isFilerCollection } from "./filer-collection.ts";
export { volumeInfoJson } from "./volume-info-json.ts";
