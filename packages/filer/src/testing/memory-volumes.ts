import { AssertionError } from "@kelp/base";
import {
  type AssignRequest,
  type CreateVolume,
  type Fid,
  type MasterClient,
  type MasterStatus,
  PLAIN_VOLUME,
  type ScannedNeedle,
  type VolumeClient,
  type VolumeId,
  type VolumeStatus,
  needleId,
  volumeId,
} from "@kelp/wire";

interface Stored {
  readonly fid: Fid;
  data: Uint8Array;
  isCorrupt: boolean;
}

/** An error with the code that the real rooms would give. */
export class MemoryVolumeError extends Error {
  override readonly name = "MemoryVolumeError";
  readonly code: string;

  constructor(code: string) {
    super(`Cannot serve needle: ${code}`);
    this.code = code;
  }
}

/** One volume and its master in memory, with failures on demand. It keeps both ports' promises, but durability. */
export class MemoryVolumes implements VolumeClient, MasterClient {
  readonly #needles = new Map<bigint, Stored>();
  readonly #volumeId = volumeId(1);
  /** Of the volume: what needles were last assigned for, unless a test says otherwise. */
  collection = "";
  #lastNeedle = 0n;
  #appendingCount = 0;
  /** Highest number of appends that ran at once. */
  appendingCountMax = 0;
  readCount = 0;
  /** Called before each call of that name; what it throws the call throws. */
  beforeAppend: (appended: number) => void | Promise<void> = () => undefined;
  beforeRemove: () => void = () => undefined;
  beforeRead: () => void | Promise<void> = () => undefined;

  get needleCount(): number {
    return this.#needles.size;
  }

  get storedBytes(): number {
    let sum = 0;
    for (const stored of this.#needles.values()) sum += stored.data.length;
    return sum;
  }

  async assign(request: AssignRequest): Promise<Fid> {
    if (request.sizeBytes < 0) throw new AssertionError("an assigned size is a count");
    this.collection = request.collection;
    this.#lastNeedle += 1n;
    return {
      volumeId: this.#volumeId,
      needleId: needleId(this.#lastNeedle),
      cookie: Number((this.#lastNeedle * 2_654_435_761n) & 0xffff_ffffn),
    };
  }

  async append(fid: Fid, data: Uint8Array): Promise<void> {
    this.#appendingCount += 1;
    this.appendingCountMax = Math.max(this.appendingCountMax, this.#appendingCount);
    try {
      await this.beforeAppend(this.#needles.size);
      // Copied only now, after a turn: a caller that touches its data too early is found out. (A Buffer's slice is no copy.)
      this.#needles.set(fid.needleId, { fid, data: new Uint8Array(data), isCorrupt: false });
    } finally {
      this.#appendingCount -= 1;
    }
  }

  async read(fid: Fid, scratch?: Uint8Array): Promise<Uint8Array | undefined> {
    this.readCount += 1;
    await this.beforeRead();
    const stored = this.#needles.get(fid.needleId);
    if (stored === undefined || stored.fid.cookie !== fid.cookie) return undefined;
    if (stored.isCorrupt) throw new MemoryVolumeError("needle-corrupt");
    if (scratch === undefined || scratch.length < stored.data.length) {
      return new Uint8Array(stored.data);
    }
    // Not at its beginning, as in a real record.
    const start = Math.min(20, scratch.length - stored.data.length);
    scratch.set(stored.data, start);
    return scratch.subarray(start, start + stored.data.length);
  }

  async remove(fids: readonly Fid[]): Promise<void> {
    this.beforeRemove();
    for (const fid of fids) this.#needles.delete(fid.needleId);
  }

  async createVolume(_id: VolumeId, _request: CreateVolume): Promise<void> {
    throw new MemoryVolumeError("unsupported-format");
  }

  async volumes(): Promise<VolumeStatus[]> {
    return [
      {
        ...PLAIN_VOLUME,
        id: this.#volumeId,
        collection: this.collection,
        sizeBytes: this.storedBytes,
        liveCount: this.#needles.size,
        liveBytes: this.storedBytes,
        deletedCount: 0,
        deletedBytes: 0,
        needleIdMax: this.#lastNeedle,
        state: "writable",
        createdMs: 0,
        modifiedMs: 0,
      },
    ];
  }

  async status(): Promise<MasterStatus> {
    return { volumes: await this.volumes(), totalBytes: 0, availableBytes: 0 };
  }

  async *scan(id: VolumeId): AsyncGenerator<ScannedNeedle> {
    if (id !== this.#volumeId) throw new MemoryVolumeError("no-such-volume");
    for (const { fid, data, isCorrupt } of this.#needles.values()) {
      const name = { needleId: fid.needleId, cookie: fid.cookie };
      yield isCorrupt
        ? { ...name, kind: "corrupt", offsetBytes: 0, recordBytes: data.length, reason: "checksum" }
        : { ...name, kind: "live", sizeBytes: data.length, appendedNs: 0n };
    }
  }

  /** What is stored, needle by needle. */
  contents(): Uint8Array[] {
    return Array.from(this.#needles.values(), (stored) => stored.data);
  }

  /** Each needle holds the other's data, under its own address. */
  exchange(left: Fid, right: Fid): void {
    const [first, second] = [this.#needles.get(left.needleId), this.#needles.get(right.needleId)];
    if (first === undefined || second === undefined) return;
    [first.data, second.data] = [second.data, first.data];
  }

  /** Damage that the needle's own checksum would not show. */
  flip(fid: Fid, at: number): void {
    const stored = this.#needles.get(fid.needleId);
    if (stored !== undefined) stored.data[at] = (stored.data[at] ?? 0) ^ 1;
  }

  corrupt(fid: Fid): void {
    const stored = this.#needles.get(fid.needleId);
    if (stored !== undefined) stored.isCorrupt = true;
  }

  truncate(fid: Fid): void {
    const stored = this.#needles.get(fid.needleId);
    if (stored !== undefined) stored.data = stored.data.slice(1);
  }

  lose(fid: Fid): void {
    this.#needles.delete(fid.needleId);
  }
}
