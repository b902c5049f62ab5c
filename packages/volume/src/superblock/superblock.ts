import { assert } from "@kelp/base";
import { NO_TTL, type Ttl } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { FormatVersion } from "../needle/layout.ts";
import { ttlOf, ttlUnitByte } from "../needle/ttl.ts";

/**
 * The first bytes of a volume file (source: the format of SeaweedFS). Numbers are big-endian.
 *
 * | offset | size | field                                                          |
 * |--------|------|----------------------------------------------------------------|
 * | 0      | 1    | version: 1, 2 or 3                                             |
 * | 1      | 1    | replica placement: other centres × 100 + racks × 10 + servers  |
 * | 2      | 2    | TTL: count, unit                                               |
 * | 4      | 2    | compaction revision, one more at each vacuum                   |
 * | 6      | 2    | size N of the extra field, a multiple of 8; 0 in version 1     |
 * | 8      | N    | extra field (kept, not understood)                             |
 */
export const SUPERBLOCK_BYTES = 8;
/** What Kelp writes. */
export const VERSION = 3;

export interface Superblock {
  readonly version: FormatVersion;
  /** 0 … 255. */
  readonly replicaPlacement: number;
  readonly ttl: Ttl;
  /** Wraps around after 65,535. */
  readonly compactionRevision: number;
  readonly extraBytes: number;
}

/** What Kelp gives a new volume, unless it was asked for more. */
export const NEW_SUPERBLOCK: Superblock = {
  version: VERSION,
  replicaPlacement: 0,
  ttl: NO_TTL,
  compactionRevision: 0,
  extraBytes: 0,
};

/** The first `SUPERBLOCK_BYTES`; whoever copies a volume copies the extra field after them. */
export function encodeSuperblock(superblock: Superblock): Uint8Array {
  const { version, replicaPlacement, ttl, compactionRevision, extraBytes } = superblock;
  assert(replicaPlacement <= 0xff, "replica placement has one byte");
  assert(ttl.count <= 0xff, "the count of a TTL has one byte");
  assert(extraBytes <= 0xffff, "the size of the extra field has two bytes");
  assert(extraBytes % 8 === 0, "the extra field is aligned");
  return Uint8Array.of(
    version,
    replicaPlacement,
    ttl.count,
    ttlUnitByte(ttl),
    (compactionRevision >>> 8) & 0xff,
    compactionRevision & 0xff,
    extraBytes >>> 8,
    extraBytes & 0xff,
  );
}

/** Throws `unsupported-format` when `bytes` is no superblock of a known version. `path` is for the message. */
export function parseSuperblock(bytes: Buffer, path: string): Superblock {
  if (bytes.length < SUPERBLOCK_BYTES) {
    throw unsupported(path, `it has ${bytes.length} bytes, a superblock has ${SUPERBLOCK_BYTES}`);
  }
  const version = bytes.readUInt8(0);
  if (version !== 1 && version !== 2 && version !== 3) {
    throw unsupported(path, `version is ${version}, expected 1 to ${VERSION}`);
  }
  const extraBytes = version === 1 ? 0 : bytes.readUInt16BE(6);
  if (extraBytes % 8 !== 0) {
    throw unsupported(path, `extra field has ${extraBytes} bytes, expected a multiple of 8`);
  }
  return {
    version,
    replicaPlacement: bytes.readUInt8(1),
    ttl: ttlOf(bytes.readUInt8(2), bytes.readUInt8(3)),
    compactionRevision: bytes.readUInt16BE(4),
    extraBytes,
  };
}

function unsupported(path: string, found: string): VolumeError {
  return new VolumeError("unsupported-format", `Cannot open volume ${path}: ${found}`);
}
