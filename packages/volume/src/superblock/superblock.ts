import { assert } from "@kelp/base";
import { VolumeError } from "../errors.ts";

/**
 * The first bytes of a volume file (source: the format of SeaweedFS). Numbers are big-endian.
 *
 * | offset | size | field                                                          |
 * |--------|------|----------------------------------------------------------------|
 * | 0      | 1    | version: 3                                                     |
 * | 1      | 1    | replica placement: other centres × 100 + racks × 10 + servers  |
 * | 2      | 2    | TTL: count, unit                                               |
 * | 4      | 2    | compaction revision, one more at each vacuum                   |
 * | 6      | 2    | size N of the extra field, a multiple of 8                     |
 * | 8      | N    | extra field (skipped)                                          |
 */
export const SUPERBLOCK_BYTES = 8;
export const VERSION = 3;

export interface Superblock {
  readonly replicaPlacement: number;
  readonly ttlCount: number;
  readonly ttlUnit: number;
  readonly compactionRevision: number;
  readonly extraBytes: number;
}

/** What Kelp gives a new volume. */
export const NEW_SUPERBLOCK: Superblock = {
  replicaPlacement: 0,
  ttlCount: 0,
  ttlUnit: 0,
  compactionRevision: 0,
  extraBytes: 0,
};

export function encodeSuperblock(superblock: Superblock): Uint8Array {
  assert(superblock.extraBytes === 0, "Kelp writes no extra field");
  const { replicaPlacement, ttlCount, ttlUnit, compactionRevision } = superblock;
  return Uint8Array.of(
    VERSION,
    replicaPlacement,
    ttlCount,
    ttlUnit,
    compactionRevision >>> 8,
    compactionRevision & 0xff,
    0,
    0,
  );
}

/** Throws `unsupported-format` when `bytes` is no superblock of version 3. `path` is for the message. */
export function parseSuperblock(bytes: Buffer, path: string): Superblock {
  if (bytes.length < SUPERBLOCK_BYTES) {
    throw unsupported(path, `it has ${bytes.length} bytes, a superblock has ${SUPERBLOCK_BYTES}`);
  }
  const version = bytes.readUInt8(0);
  if (version !== VERSION) throw unsupported(path, `version is ${version}, expected ${VERSION}`);
  const extraBytes = bytes.readUInt16BE(6);
  if (extraBytes % 8 !== 0) {
    throw unsupported(path, `extra field has ${extraBytes} bytes, expected a multiple of 8`);
  }
  return {
    replicaPlacement: bytes.readUInt8(1),
    ttlCount: bytes.readUInt8(2),
    ttlUnit: bytes.readUInt8(3),
    compactionRevision: bytes.readUInt16BE(4),
    extraBytes,
  };
}

function unsupported(path: string, found: string): VolumeError {
  return new VolumeError("unsupported-format", `Cannot open volume ${path}: ${found}`);
}
