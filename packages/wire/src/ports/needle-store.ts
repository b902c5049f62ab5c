import type { Fid, VolumeId } from "../ids.ts";
import type { Ttl } from "./volume-client.ts";

/**
 * Whole needles, with all that the format can say of a blob, as the volume door reads and writes them. Entries need
 * only data: they go through `VolumeClient`.
 *
 * Durability, checks and errors are those of `VolumeClient`.
 */
export interface NeedleStore {
  /**
   * `unchanged`: the same bytes and fields (the date of modification apart) stand there already, nothing was appended.
   * A needle with a TTL is always written: it lives longer. Throws `cookie-mismatch`, `invalid-needle`, and as `append`.
   */
  writeNeedle(fid: Fid, needle: NeedleContent): Promise<"written" | "unchanged">;
  /** `undefined` when absent, removed, expired, or the cookie differs. */
  readNeedle(fid: Fid, options?: ReadNeedle): Promise<StoredNeedle | undefined>;
  /** Bytes of data removed; `undefined` when there was nothing, or it has another cookie. */
  removeNeedle(fid: Fid): Promise<number | undefined>;
  /** The collection of a volume; `undefined` when there is no such volume. */
  collectionOf(id: VolumeId): string | undefined;
}

export interface NeedleContent {
  /** As stored: compressed where `isGzip`. Not to be touched until the call settles. */
  readonly data: Uint8Array;
  /** CRC-32C of `data`, from whoever has just computed it; without it the store does. */
  readonly checksum?: number;
  /** At most 255 bytes of UTF-8; longer is cut. */
  readonly name?: string;
  /** Less than 256 bytes. */
  readonly mediaType?: string;
  readonly lastModifiedSec?: number;
  readonly ttl?: Ttl;
  /**
   * Header names and values that go out with the needle; less than 64 KiB as JSON. SeaweedFS stores what came as
   * `Seaweed-Owner` under `Owner`.
   */
  readonly pairs?: Readonly<Record<string, string>>;
  readonly isGzip?: boolean;
  /** The data is the JSON of a chunk manifest. */
  readonly isChunkManifest?: boolean;
}

export interface ReadNeedle {
  /** `read` gives a removed needle too, while its bytes still stand in the volume file. Default `refuse`. */
  readonly removed?: "refuse" | "read";
  /**
   * Called with the bytes that the read will take, once they are known and before their memory is. A read whose memory
   * is to be waited for goes on when this resolves, and may call again when the needle has become another meanwhile.
   */
  admit?(sizeBytes: number): Promise<void> | undefined;
}

export interface StoredNeedle extends NeedleContent {
  /** CRC-32C of the stored data. */
  readonly checksum: number;
  /** When it was appended, nanoseconds; 0 in volumes of version 1 and 2. */
  readonly appendedNs: bigint;
}
