/** Hashes as a port: streaming objects with the state inside. `platform` makes them. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** The raw digest. The hasher is finished afterwards. */
  digest(): Uint8Array;
}

/**
 * A hash made on another thread, side by side with those of other bodies, for which it waits. Failures stay: once a call was
 * rejected, all later ones are.
 */
export interface HasherApart extends Disposable {
  /**
   * Resolves when `bytes` are no longer looked at, which may need `hurry` or `digest`; until then they must stay as they are.
   * Those that lie in shared memory are not copied. The next ones may be given before that: they are taken in order.
   */
  update(bytes: Uint8Array): Promise<void>;
  /** Someone waits for what was given so far: it waits for no other body any more. Callers must, when they need its memory. */
  hurry(): void;
  /** The raw digest. The hasher is finished afterwards. */
  digest(): Promise<Uint8Array>;
  /** Gives the hash up where it is not finished. What is being hashed still is until its `update` resolves. */
  [Symbol.dispose](): void;
}

export type HashAlgorithm = "md5" | "sha1" | "sha256" | "crc32" | "crc32c" | "crc64nvme";

export interface Hashes {
  create(algorithm: HashAlgorithm): Hasher;
  /**
   * An MD5 on another thread; `undefined` where there is none, which stays so. It is to be begun when its body is, and
   * disposed of: others wait for it a while, since hashing several at once costs less.
   */
  createMd5Apart(): HasherApart | undefined;
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
