/**
 * Large blobs in a store elsewhere: where volume files go that are seldom read. Keys are names without slashes.
 *
 * Implementations must:
 * - show a blob under its key only when all of it is there, and resolve `put` only when it is durable there;
 * - throw for every failure, and never give fewer bytes than there are.
 */
export interface RemoteBlobs {
  /** Kind of store, such as `folder` or `s3`: what a volume's information file says of it. */
  readonly kind: string;
  /** Stores a blob; what stood there is replaced. */
  put(key: string, content: BlobContent, signal?: AbortSignal): Promise<void>;
  /** Fills `target` from `offset`; returns the count, less only at the end of the blob. Throws when there is no blob. */
  read(key: string, target: Uint8Array, offset: number): Promise<number>;
  /** `undefined` when there is no such blob. */
  head(key: string): Promise<{ readonly sizeBytes: number } | undefined>;
  /** Absent blobs are skipped. */
  remove(key: string): Promise<void>;
}

/** What is put: read in order, by pieces. */
export interface BlobContent {
  readonly sizeBytes: number;
  /** Fills `target` from `offset`; returns the count, less only at the end. */
  readAt(target: Uint8Array, offset: number): Promise<number>;
}
