import {
  type Fid,
  type NeedleId,
  type ScannedNeedle,
  type VolumeId,
  formatFid,
  needleId,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { NeedleLocation } from "../index/needle-index.ts";
import { KNOWN_NEEDLE_COUNT_MAX, SYNC_READ_BYTES_MAX } from "../limits.ts";
import { type Checksums, type NeedleHeader, decodeNeedle, readHeader } from "../needle/decode.ts";
import { idHigh, idLow, joinIdHalves } from "../needle/id-halves.ts";
import { HEADER_BYTES, PREFIX_BYTES, recordBytesOf } from "../needle/layout.ts";
import { recordMemory } from "../needle/record-memory.ts";
import { type FoundRecord, corruptNeedle } from "../needle/stored-needle.ts";
import type { SealedContent } from "./sealed-content.ts";

/**
 * The records of a sealed volume, whose file may be there in several ways (see `readAround`). One that is not good is read in every
 * other way that there is before it is called damaged.
 */
export class SealedRecords {
  readonly #volumeId: VolumeId;
  readonly #content: SealedContent;
  readonly #hashes: Checksums;
  /** Of which every way of reading gave bad bytes. */
  readonly #knownCorrupt = new Set<NeedleId>();
  readonly #knownCookies = new Set<NeedleId>();

  constructor(of: {
    readonly id: VolumeId;
    readonly content: SealedContent;
    readonly hashes: Checksums;
  }) {
    this.#volumeId = of.id;
    this.#content = of.content;
    this.#hashes = of.hashes;
  }

  /** Throws `read-failed` when the index cannot be read. */
  find(fid: Fid): NeedleLocation | undefined {
    try {
      return this.#content.index.find(idHigh(fid.needleId), idLow(fid.needleId));
    } catch (error) {
      throw readFailed(fid, error);
    }
  }

  /**
   * What `open` makes of the record of a needle; `undefined` when there is none, or one with another cookie. `open` may be called for
   * every way of reading. Throws `read-failed`, or the `needle-corrupt` of the last way.
   */
  async read<Needle>(
    fid: Fid,
    scratch: Uint8Array | undefined,
    open: (found: FoundRecord) => Needle | undefined,
  ): Promise<Needle | undefined> {
    const location = this.find(fid);
    if (location === undefined) return undefined;
    const { bodyBytes, offsetBytes } = location;
    const { version } = this.#content;
    const record = recordMemory(recordBytesOf(bodyBytes, version), scratch);
    await this.#fill(fid, record, offsetBytes);
    const attempt = (): Attempt<Needle> => {
      try {
        return { kind: "good", needle: open({ record, bodyBytes, version }) };
      } catch (error) {
        if (error instanceof VolumeError && error.code === "needle-corrupt") {
          return { kind: "corrupt", error };
        }
        throw error;
      }
    };
    let last = attempt();
    if (last.kind === "corrupt" && !this.#knownCorrupt.has(fid.needleId)) {
      const isGood = (): boolean => {
        last = attempt();
        return last.kind === "good";
      };
      if (!(await this.#fillAround(fid, record, offsetBytes, isGood))) {
        remember(this.#knownCorrupt, fid.needleId);
      }
    }
    if (last.kind === "corrupt") throw last.error;
    if (last.needle === undefined && (await this.#isCookieDamaged(fid, offsetBytes))) {
      await this.#fill(fid, record, offsetBytes);
      last = attempt();
      if (last.kind === "corrupt") throw last.error;
    }
    return last.needle;
  }

  /**
   * Size of the data of a needle that is to be removed, 0 when that is damaged; `undefined` when there is none, or one with another
   * cookie. Throws `needle-corrupt` when it cannot be told whether it is the one that is meant.
   */
  async dataBytesOf(fid: Fid): Promise<number | undefined> {
    const location = this.find(fid);
    if (location === undefined) return undefined;
    const { bodyBytes, offsetBytes } = location;
    const prefix = Buffer.alloc(bodyBytes === 0 ? HEADER_BYTES : PREFIX_BYTES);
    await this.#fill(fid, prefix, offsetBytes);
    const isGood = (): boolean => headerDamage(readHeader(prefix, 0), fid, bodyBytes) === undefined;
    const isWhole = isGood() || (await this.#fillAround(fid, prefix, offsetBytes, isGood));
    // What is damaged and has the cookie still is the needle that is meant: damage is no reason to keep it.
    const hasCookie = readHeader(prefix, 0).cookie === fid.cookie;
    if (!hasCookie && !isWhole) throw corruptNeedle(fid, "another record stands there");
    if (!hasCookie && !(await this.#isCookieDamaged(fid, offsetBytes))) return undefined;
    const dataBytes = bodyBytes === 0 ? 0 : prefix.readUInt32BE(HEADER_BYTES);
    return dataBytes < bodyBytes ? dataBytes : 0;
  }

  /** What stands at a place of the index; `undefined` when it was removed since. */
  async examine(offsetBytes: number): Promise<ScannedNeedle | undefined> {
    const head = Buffer.alloc(HEADER_BYTES);
    const readHead = (): NeedleHeader => readHeader(head, 0);
    const isHeadGood = (): boolean => {
      const { idHigh: high, idLow: low, bodyBytes } = readHead();
      const location = this.#content.index.find(high, low);
      return location?.offsetBytes === offsetBytes && location.bodyBytes === bodyBytes;
    };
    try {
      await this.#content.file.readAt(head, offsetBytes);
      if (!isHeadGood() && !(await this.#content.file.readAround(head, offsetBytes, isHeadGood))) {
        const { cookie } = readHead();
        return await this.#corruptAt(offsetBytes, "another record stands there", cookie);
      }
    } catch (error) {
      return this.#corruptAt(offsetBytes, reasonOf(error), undefined);
    }
    const { idHigh: high, idLow: low, cookie } = readHead();
    const id = needleId(joinIdHalves(high, low));
    return this.#examineBody({ volumeId: this.#volumeId, needleId: id, cookie }, offsetBytes);
  }

  /**
   * No checksum of a needle covers its cookie: whether it is the one asked for when the record is read in another way. Such an
   * inquiry reads much and is made once for a needle, since anybody may ask with a wrong cookie.
   */
  async #isCookieDamaged(fid: Fid, offsetBytes: number): Promise<boolean> {
    if (this.#knownCookies.has(fid.needleId)) return false;
    const head = Buffer.alloc(HEADER_BYTES);
    const isAskedFor = (): boolean => readHeader(head, 0).cookie === fid.cookie;
    const isDamaged = await this.#fillAround(fid, head, offsetBytes, isAskedFor);
    if (!isDamaged) remember(this.#knownCookies, fid.needleId);
    return isDamaged;
  }

  async #examineBody(fid: Fid, offsetBytes: number): Promise<ScannedNeedle | undefined> {
    const { needleId: id, cookie } = fid;
    const location = this.find(fid);
    if (location === undefined) return undefined;
    const { version } = this.#content;
    const record = Buffer.allocUnsafeSlow(recordBytesOf(location.bodyBytes, version));
    const corrupt = (reason: string): ScannedNeedle => {
      const recordBytes = record.length;
      return { kind: "corrupt", needleId: id, cookie, offsetBytes, recordBytes, reason };
    };
    const decode = () => decodeNeedle(record, location.bodyBytes, this.#hashes, version);
    try {
      await this.#fill(fid, record, offsetBytes);
      let decoded = decode();
      if (decoded.kind === "corrupt") {
        await this.#content.file.readAround(record, offsetBytes, () => {
          decoded = decode();
          return decoded.kind === "needle";
        });
      }
      return decoded.kind === "needle"
        ? {
            kind: "live",
            needleId: id,
            cookie,
            sizeBytes: decoded.data.length,
            appendedNs: decoded.dateNs,
          }
        : corrupt(decoded.reason);
    } catch (error) {
      return corrupt(reasonOf(error));
    }
  }

  /** The needle that should be there. */
  async #corruptAt(
    offsetBytes: number,
    reason: string,
    cookie: number | undefined,
  ): Promise<ScannedNeedle | undefined> {
    for await (const entry of this.#content.index.entries()) {
      if (entry.offsetBytes !== offsetBytes) continue;
      const id = needleId(joinIdHalves(entry.idHigh, entry.idLow));
      const recordBytes = recordBytesOf(entry.bodyBytes, this.#content.version);
      return { kind: "corrupt", needleId: id, cookie, offsetBytes, recordBytes, reason };
    }
    return undefined;
  }

  async #fill(fid: Fid, record: Buffer, offsetBytes: number): Promise<void> {
    const { file } = this.#content;
    try {
      const isSmall = record.length <= SYNC_READ_BYTES_MAX;
      const count = isSmall ? file.readAtSync(record, offsetBytes) : undefined;
      if ((count ?? (await file.readAt(record, offsetBytes))) === record.length) return;
    } catch (error) {
      throw readFailed(fid, error);
    }
    throw corruptNeedle(fid, "the volume file ends before it");
  }

  async #fillAround(
    fid: Fid,
    record: Buffer,
    offsetBytes: number,
    isGood: () => boolean,
  ): Promise<boolean> {
    try {
      return await this.#content.file.readAround(record, offsetBytes, isGood);
    } catch (error) {
      throw readFailed(fid, error);
    }
  }
}

function remember(needles: Set<NeedleId>, id: NeedleId): void {
  if (needles.size >= KNOWN_NEEDLE_COUNT_MAX) needles.clear();
  needles.add(id);
}

type Attempt<Needle> =
  | { readonly kind: "good"; readonly needle: Needle | undefined }
  | { readonly kind: "corrupt"; readonly error: VolumeError };

function headerDamage(header: NeedleHeader, fid: Fid, bodyBytes: number): string | undefined {
  if (header.idHigh !== idHigh(fid.needleId) || header.idLow !== idLow(fid.needleId)) {
    return "another needle id stands there";
  }
  return header.bodyBytes === bodyBytes
    ? undefined
    : `size is ${header.bodyBytes}, expected ${bodyBytes}`;
}

function readFailed(fid: Fid, cause: unknown): unknown {
  if (cause instanceof VolumeError) return cause;
  return new VolumeError(
    "read-failed",
    `Cannot read needle ${formatFid(fid)}: ${reasonOf(cause)}`,
    {
      cause,
    },
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown";
}
