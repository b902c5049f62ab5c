import { CHUNK_SIZE_BYTES } from "@kelp/wire";
import { SMALL_BODY_BYTES_MAX } from "../limits.ts";
import type { AppendSession } from "./append-session.ts";
import type { BodyHash } from "./body-hash.ts";
import { SmallBody } from "./small-body.ts";
import type { ChunkBuffer, WriteBudget } from "./write-budget.ts";

export interface ChunkCutterDeps {
  readonly budget: WriteBudget;
  readonly session: AppendSession;
  readonly hash: BodyHash;
  /** Called before a chunk goes to its volume with the bytes seen so far; throwing stops the body. */
  readonly admit: (sizeBytes: number) => void;
}

/**
 * Copies pieces into lent buffers and sends each full one off. Pieces are not kept: their producer may reuse them.
 *
 * Where buffers are scarce a slow body goes without: it gathers the beginning of a chunk in memory of its own, and when its buffer is recalled while it waits
 * for its source, it cuts the chunk there, or takes back the little that there is of it.
 */
export class ChunkCutter implements Disposable {
  sizeBytes = 0;
  readonly #deps: ChunkCutterDeps;
  /** What there is of the chunk stands in one of the two, or nowhere. */
  #buffer: ChunkBuffer | undefined;
  #gathered: SmallBody | undefined;
  /** Of the buffer. */
  #filledBytes = 0;

  constructor(deps: ChunkCutterDeps) {
    this.#deps = deps;
  }

  async add(piece: Uint8Array): Promise<void> {
    this.sizeBytes += piece.length;
    this.#deps.hash.part(piece);
    let taken = 0;
    while (taken < piece.length) {
      if (this.#buffer === undefined && this.#gather(piece.subarray(taken))) return;
      this.#buffer ??= await this.#take();
      const part = piece.subarray(taken, taken + CHUNK_SIZE_BYTES - this.#filledBytes);
      this.#buffer.bytes.set(part, this.#filledBytes);
      this.#filledBytes += part.length;
      taken += part.length;
      if (this.#filledBytes === CHUNK_SIZE_BYTES) await this.flush();
    }
  }

  /** Waits for the source. Settles when nothing of this body is on its way to a window of appends any more. */
  async waitFor<Value>(source: Promise<Value>): Promise<Value> {
    const buffer = this.#buffer;
    if (buffer === undefined) return await source;
    let givingUp: Promise<void> | undefined;
    buffer.onRecall(() => {
      givingUp ??= this.#giveUp();
      // Told below, once the source has said something.
      givingUp.catch(() => undefined);
    });
    try {
      return await source;
    } finally {
      buffer.onRecall(undefined);
      await givingUp;
    }
  }

  /** Sends off what there is of a chunk. */
  async flush(): Promise<void> {
    const buffer = this.#buffer;
    const data =
      buffer === undefined ? this.#gathered?.bytes() : buffer.bytes.subarray(0, this.#filledBytes);
    if (data === undefined) return;
    const { admit, hash, session } = this.#deps;
    admit(this.sizeBytes);
    this.#buffer = undefined;
    this.#gathered = undefined;
    this.#filledBytes = 0;
    const giveBack = (): void => buffer?.[Symbol.dispose]();
    const hashed = hash.cut(data);
    await session.append(data, () => {
      hash.hurry();
      if (hashed === undefined) giveBack();
      else void hashed.then(giveBack);
    });
  }

  [Symbol.dispose](): void {
    this.#buffer?.[Symbol.dispose]();
    this.#buffer = undefined;
  }

  /** Without a buffer, while others wait for one; false, and nothing taken, when it has become too much. */
  #gather(bytes: Uint8Array): boolean {
    if (this.#gathered === undefined && !this.#deps.budget.isWanted) return false;
    this.#gathered ??= new SmallBody(SMALL_BODY_BYTES_MAX);
    return this.#gathered.add(bytes);
  }

  async #take(): Promise<ChunkBuffer> {
    const buffer = await this.#deps.budget.take();
    const gathered = this.#gathered?.bytes();
    this.#gathered = undefined;
    if (gathered !== undefined) buffer.bytes.set(gathered);
    this.#filledBytes = gathered?.length ?? 0;
    return buffer;
  }

  async #giveUp(): Promise<void> {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    const gathered = new SmallBody(SMALL_BODY_BYTES_MAX);
    if (!gathered.add(buffer.bytes.subarray(0, this.#filledBytes))) return await this.flush();
    this.#buffer = undefined;
    this.#filledBytes = 0;
    this.#gathered = gathered;
    buffer[Symbol.dispose]();
  }
}
