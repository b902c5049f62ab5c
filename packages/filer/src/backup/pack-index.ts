/**
 * Pieces of backups stand one after another in packs, since a bucket or a file system takes a few large objects better
 * than many small ones. A pack is `packs/ID.pack`; `packs/ID.json` tells what is in it, and is written after it: a pack without
 * is the rest of a write that was cut off. ID is the beginning of the SHA-256 of the pack.
 */
export interface PackIndex {
  readonly id: string;
  readonly sizeBytes: number;
  /** In the order in which they stand. */
  readonly blobs: readonly PackedBlob[];
}

export interface PackedBlob {
  /** `chunk STORE FID`, `needle STORE NAME` (`looseName`) or `block SHA256`. */
  readonly key: string;
  readonly sizeBytes: number;
  /** Of the content, in hex. */
  readonly sha256: string;
}
