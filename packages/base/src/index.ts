/** Nothing of the domain: what any storage program needs, with the outside world as ports. */
export {
  type Aead,
  type OpenBytes,
  SEAL_KEY_BYTES,
  SEAL_NONCE_BYTES,
  SEAL_OVERHEAD_BYTES,
  SEAL_TAG_BYTES,
  type SealBytes,
} from "./aead.ts";
export { AssertionError, assert, assertCount, maybe, must, unreachable } from "./assert.ts";
export { type Body, type ByteStream, collectBytes, isByteStream } from "./body.ts";
export type { Brand } from "./brand.ts";
export {
  EMPTY_BYTES,
  base64,
  compareBytes,
  hex,
  joinBytes,
  parseBase64,
  utf8,
  utf8Text,
} from "./bytes.ts";
export {
  CallError,
  type CallHandlers,
  type CallListener,
  type CallNetwork,
  type CallPeer,
} from "./calls.ts";
export type { Clock, Timer } from "./clock.ts";
export {
  type Migration,
  type SqlDatabase,
  type SqlStatement,
  type SqlValue,
  migrate,
} from "./database.ts";
export { makeDurableFolder } from "./durable-folder.ts";
export { type Disk, DiskError, type DiskFile, type DiskSpace, type OpenOptions } from "./disk.ts";
export { ErasureCode, SHARD_COUNT_MAX, type ShardPiece } from "./erasure/index.ts";
export { Foreground, type ForegroundLoad } from "./foreground.ts";
export type { HashAlgorithm, Hasher, HasherApart, Hashes } from "./hash.ts";
export type { AppendFile, FileKind, LocalFiles, WalkedFile } from "./local-files.ts";
export { type Log, type LogFields, silentLog } from "./log.ts";
export {
  ProcessError,
  type ProcessExit,
  type Processes,
  type RunningProcess,
  type StartProcess,
} from "./processes.ts";
export {
  type ConnectionAddresses,
  type PeerUsers,
  isLoopbackAddress,
  unknownPeerUsers,
} from "./net/peer-users.ts";
export type { PortSharing, TcpConnection, TcpEvents, TcpListener, TcpNetwork } from "./net/tcp.ts";
export type { Random } from "./random.ts";
export { type Result, ok, refused } from "./result.ts";
export { Permit, Semaphore } from "./semaphore.ts";
export type { Service } from "./service.ts";
export { type ParseYamlDocuments, YamlError, type YamlErrorCode } from "./yaml.ts";
