/**
 * What can go wrong in the world of volumes:
 * - `needle-corrupt`       the stored bytes do not fit the index, their header or their checksum
 * - `cookie-mismatch`      an append under an id that exists with another cookie
 * - `needle-too-large`     more data than `NEEDLE_DATA_BYTES_MAX`
 * - `invalid-needle`       a name, type, date or other field that the format cannot hold, or a lifetime beyond the volume's
 * - `no-such-volume`       the store has no volume of that id
 * - `volume-missing`       the disk of the volume failed or is absent: nothing of it can be read now
 * - `volume-exists`        a volume of that id is there already
 * - `job-running`          another job has the volume: come back later
 * - `volume-full`          the volume is beyond its size limit and the grace after it: assign anew
 * - `volume-failed`        a write or sync failed earlier (or just now): assign anew; reads go on
 * - `read-only`            the volume cannot be appended to for what it is
 * - `out-of-space`         no space or quota: nothing was stored; the volume takes appends again once there is space
 * - `overloaded`           too many appends are waiting: come back later
 * - `read-failed`          the disk refused to read
 * - `unsupported-format`   a volume file that this version does not understand
 * - `invalid-collection`   a collection name that cannot be part of a file name
 * - `too-few-shards`       less shards of an erasure-coded volume can be used than hold its data
 * - `shards-corrupt`       shards, or what was made of them, do not agree with their checksums
 * - `index-corrupt`        no copy of an erasure-coded volume's index is whole
 * - `invalid-shape`        numbers of shards that no code has
 * - `not-sealed`           the volume still takes needles: it must be full or read-only first
 * - `wrong-form`           the job is not for volumes of this form
 * - `no-such-backend`      no remote store of that name is configured
 * - `remote-failed`        the remote store refused, or does not hold what it should
 * - `invalid-traits`       a replica placement or TTL of a volume that the format cannot hold
 * - `folder-in-use`        another process has a folder of volumes
 * - `folder-used-twice`    two of the folders given are one
 * - `catalogue-unreadable` the list of volumes cannot be understood
 * - `closed`               the store is closed
 */
export type VolumeErrorCode =
  | "needle-corrupt"
  | "cookie-mismatch"
  | "needle-too-large"
  | "invalid-needle"
  | "no-such-volume"
  | "volume-missing"
  | "volume-exists"
  | "job-running"
  | "volume-full"
  | "volume-failed"
  | "read-only"
  | "out-of-space"
  | "overloaded"
  | "read-failed"
  | "unsupported-format"
  | "invalid-collection"
  | "too-few-shards"
  | "shards-corrupt"
  | "index-corrupt"
  | "invalid-shape"
  | "not-sealed"
  | "wrong-form"
  | "no-such-backend"
  | "remote-failed"
  | "invalid-traits"
  | "folder-in-use"
  | "folder-used-twice"
  | "catalogue-unreadable"
  | "closed";

export class VolumeError extends Error {
  override readonly name = "VolumeError";
  readonly code: VolumeErrorCode;

  constructor(code: VolumeErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}
