import { type Hashes, assert, must } from "@kelp/base";
import type { Chunk, Fid, MasterClient, VolumeClient } from "@kelp/wire";
import { appendError, errorCodes } from "../errors.ts";
import { APPENDS_IN_FLIGHT_MAX, APPEND_ATTEMPTS_MAX } from "../limits.ts";
import type { Sealing } from "../seal/sealing.ts";
import type { SpaceGuard } from "../space/space-guard.ts";

export interface AppendDeps {
  readonly hashes: Pick<Hashes, "xxh3">;
  readonly volumes: Pick<VolumeClient, "append">;
  readonly master: Pick<MasterClient, "assign">;
  readonly collection: string;
  /** Absent: content is taken until the disk refuses it. */
  readonly space: SpaceGuard | undefined;
  /** Absent: chunks are stored as they are. */
  readonly sealing: Sealing | undefined;
}

/** Codes of a volume that cannot take this chunk while another volume can. */
const ELSEWHERE_CODES = [
  "volume-full",
  "volume-failed",
  "volume-missing",
  "read-only",
  "no-such-volume",
];

/**
 * The chunks of one body on their way to volumes: a bounded number at once, the list in the order of the body.
 * Every address ever assigned is remembered, so that a failed body can be taken back whole.
 */
export class AppendSession {
  readonly #deps: AppendDeps;
  readonly #chunks: (Chunk | undefined)[] = [];
  readonly #assigned: Chunk[] = [];
  #runningCount = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(deps: AppendDeps) {
    this.#deps = deps;
  }

  /** Starts an append, waiting while the window is full. `data` is lent until `release` is called, which always happens. */
  async append(data: Uint8Array, release: () => void): Promise<void> {
    assert(data.length > 0, "a chunk holds something");
    try {
      while (this.#runningCount >= APPENDS_IN_FLIGHT_MAX) await this.#settled();
      this.#throwFailure();
    } catch (error) {
      release();
      throw error;
    }
    const index = this.#chunks.length;
    this.#chunks.push(undefined);
    this.#runningCount += 1;
    const stored = (chunk: Chunk): void => {
      this.#chunks[index] = chunk;
      this.#end(release);
    };
    const failed = (error: unknown): void => {
      this.#failure ??= { error };
      this.#end(release);
    };
    this.#store(data).then(stored, failed);
  }

  /** Stores a needle beside the body, such as a manifest: it is taken back with the body. Durable when resolved. */
  storeAside(data: Uint8Array): Promise<Chunk> {
    return this.#store(data);
  }

  /** Waits for all appends; the chunks are durable then. Throws the first failure. */
  async finish(): Promise<readonly Chunk[]> {
    await this.#idle();
    this.#throwFailure();
    return this.#chunks.map((chunk) => must(chunk));
  }

  /** Waits for all appends, whatever became of them, and gives every address that may hold something. */
  async abandon(): Promise<readonly Chunk[]> {
    await this.#idle();
    return this.#assigned;
  }

  /** Whether this body may be about to name the chunk. */
  owns(fid: Fid): boolean {
    return this.#assigned.some(
      (chunk) => chunk.fid.needleId === fid.needleId && chunk.fid.volumeId === fid.volumeId,
    );
  }

  async #store(data: Uint8Array): Promise<Chunk> {
    const { volumes, master, collection, space, sealing, hashes } = this.#deps;
    const measuring = space?.admit(data.length);
    if (measuring !== undefined) await measuring;
    const sealed = sealing?.sealChunk(data);
    const stored = sealed?.stored ?? data;
    const chunk = { sizeBytes: data.length, hash64: hashes.xxh3(stored) };
    for (let attempt = 1; ; attempt += 1) {
      try {
        const fid = await master.assign({ collection, sizeBytes: stored.length });
        this.#assigned.push({ fid, sizeBytes: data.length });
        await volumes.append(fid, stored);
        if (sealing === undefined || sealed === undefined) return { fid, ...chunk };
        freeSealed(sealed.stored);
        const sealedKey = sealing.wrapDataKey(sealed.dataKey, fid);
        return { fid, ...chunk, sealedKey };
      } catch (error) {
        const isElsewhere = errorCodes(error).some((code) => ELSEWHERE_CODES.includes(code));
        if (!isElsewhere || attempt >= APPEND_ATTEMPTS_MAX) throw appendError(error);
      }
    }
  }

  #end(release: () => void): void {
    this.#runningCount -= 1;
    release();
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  async #idle(): Promise<void> {
    while (this.#runningCount > 0) await this.#settled();
  }

  #settled(): Promise<void> {
    assert(this.#wake === undefined, "one body has one writer");
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/**
 * Gives the memory of a sealed chunk back now that it is durable. It is fresh for each chunk, and the collector waits until
 * the dead ones are as much again as all that is in use.
 */
function freeSealed({ buffer, length }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && length === buffer.byteLength) buffer.transfer(0);
}
