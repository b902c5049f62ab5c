import type { Hashes } from "@kelp/base";
import {
  type Fid,
  type NeedleContent,
  type NeedleStore,
  type ReadNeedle,
  type StoredNeedle,
  type VolumeId,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";

interface Kept {
  readonly cookie: number;
  readonly needle: StoredNeedle;
  isRemoved: boolean;
}

/** Whole needles in memory, in volumes 1 to 9, for tests of what stands before the store. */
export class MemoryNeedles implements NeedleStore {
  readonly #hashes: Pick<Hashes, "crc32c">;
  readonly #needles = new Map<string, Kept>();
  /** File ids, as `volume,needle`, whose reading finds damage. */
  readonly corrupt = new Set<string>();
  /** Volumes that are of no client. */
  readonly collections = new Map<number, string>();

  constructor(hashes: Pick<Hashes, "crc32c">) {
    this.#hashes = hashes;
  }

  async writeNeedle(fid: Fid, needle: NeedleContent): Promise<"written" | "unchanged"> {
    const key = keyOf(fid);
    const earlier = this.#needles.get(key);
    if (earlier !== undefined && earlier.cookie !== fid.cookie) {
      throw new VolumeError("cookie-mismatch", "Cannot append: the id exists with another cookie");
    }
    if (earlier?.isRemoved === false && Buffer.compare(earlier.needle.data, needle.data) === 0) {
      return "unchanged";
    }
    const data = Uint8Array.from(needle.data);
    const stored = { ...needle, data, checksum: this.#hashes.crc32c(data), appendedNs: 1n };
    this.#needles.set(key, { cookie: fid.cookie, needle: stored, isRemoved: false });
    return "written";
  }

  async readNeedle(fid: Fid, options?: ReadNeedle): Promise<StoredNeedle | undefined> {
    const key = keyOf(fid);
    if (this.corrupt.has(key)) {
      throw new VolumeError("needle-corrupt", "Cannot read the needle: its checksum is wrong");
    }
    const kept = this.#needles.get(key);
    if (kept === undefined || kept.cookie !== fid.cookie) return undefined;
    if (kept.isRemoved && options?.removed !== "read") return undefined;
    await options?.admit?.(kept.needle.data.length);
    return kept.needle;
  }

  async removeNeedle(fid: Fid): Promise<number | undefined> {
    const kept = this.#needles.get(keyOf(fid));
    if (kept === undefined || kept.isRemoved || kept.cookie !== fid.cookie) return undefined;
    kept.isRemoved = true;
    return kept.needle.data.length;
  }

  collectionOf(id: VolumeId): string | undefined {
    return id > 9 ? undefined : (this.collections.get(id) ?? "");
  }
}

function keyOf(fid: Fid): string {
  if (fid.volumeId > 9) {
    throw new VolumeError("no-such-volume", `Cannot use volume ${fid.volumeId}: it is not here`);
  }
  return `${fid.volumeId},${fid.needleId}`;
}
