/** Hashes as a port: streaming objects with the state inside. `platform` makes them. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** The raw digest. The hasher is finished afterwards. */
  digest(): Uint8Array;
}

/** A hash made on another thread. Failures stay: once a call was rejected, all later ones are. */
export interface HasherApart extends Disposable {
  /**
   * Resolves when `bytes` are no longer looked at; until then they must stay as they are. Those that lie in shared memory
   * are not copied. The next ones may be given before that: they are taken in order.
   */
  update(bytes: Uint8Array): Promise<void>;
  /** The raw digest. The hasher is finished afterwards. */
  digest(): Promise<Uint8Array>;
}

export type HashAlgorithm = "md5" | "sha1" | "sha256" | "crc32" | "crc32c" | "crc64nvme";

export interface Hashes {
  create(algorithm: HashAlgorithm): Hasher;
  /**
   * A hasher on a thread of its own; `undefined` when there is none to spare, which nobody waits for. It is to be disposed
   * of, and the thread serves nobody else before.
   */
  createApart(algorithm: "md5" | "sha256"): HasherApart | undefined;
  /** One-shot form, cheaper for small input: of bytes, or of a text's UTF-8. */
  digest(algorithm: HashAlgorithm, content: Uint8Array | string): Uint8Array;
  /** CRC-32C (Castagnoli) as an unsigned number; `seed` continues an earlier value. */
  crc32c(bytes: Uint8Array, seed?: number): number;
  /** xxHash3 of 64 bits, seed 0: several times cheaper than any checksum above, not for use against forgers. */
  xxh3(bytes: Uint8Array): bigint;
  /** CRC-32 (the one of zlib) of bytes or of a text's UTF-8, as an unsigned number; `seed` continues an earlier value. */
  crc32(content: Uint8Array | string, seed?: number): number;
  hmacSha256(key: Uint8Array, message: string | Uint8Array): Uint8Array;
  /** Equal content in a time that does not depend on where they differ. Lengths may leak. */
  equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean;
}
