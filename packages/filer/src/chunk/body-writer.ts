import { type Body, type Hashes, isByteStream } from "@kelp/base";
import { CHUNK_SIZE_BYTES, type BodySummary, type Content } from "@kelp/wire";
import { SMALL_BODY_BYTES_MAX } from "../limits.ts";
import { abortable } from "./abortable.ts";
import type { AppendSession } from "./append-session.ts";
import { BodyHash } from "./body-hash.ts";
import { SmallBody } from "./small-body.ts";
import type { WriteBudget } from "./write-budget.ts";

export interface StoreBody {
  readonly body: Body;
  /** Bodies up to this size become inline content; 0 puts all but empty ones into chunks. */
  readonly inlineBytesMax: number;
  readonly signal: AbortSignal | undefined;
  /** Called before content goes to volumes with the bytes seen so far; throwing stops the body early. */
  readonly admit: (sizeBytes: number) => void;
}

export interface StoredBody {
  readonly content: Content;
  readonly summary: BodySummary;
}

export interface BodyWriterDeps {
  readonly hashes: Hashes;
  readonly budget: WriteBudget;
}

/** Cuts a body into inline content or chunks, counting and hashing on the way. Chunks are durable when resolved. */
export async function storeBody(
  deps: BodyWriterDeps,
  session: AppendSession,
  request: StoreBody,
): Promise<StoredBody> {
  if (!isByteStream(request.body))
    return storeWhole(deps, session, { ...request, body: request.body });
  const iterator = abortable(request.body, request.signal)[Symbol.asyncIterator]();
  try {
    return await storeStream(deps, session, { ...request, iterator });
  } catch (error) {
    await iterator.return?.();
    throw error;
  }
}

async function storeWhole(
  deps: BodyWriterDeps,
  session: AppendSession,
  request: StoreBody & { readonly body: Uint8Array },
): Promise<StoredBody> {
  const { body, signal } = request;
  const summary = { sizeBytes: body.length, md5: deps.hashes.digest("md5", body) };
  signal?.throwIfAborted();
  if (body.length <= request.inlineBytesMax || body.length === 0) {
    return { content: { kind: "inline", bytes: body }, summary };
  }
  for (let start = 0; start < body.length; start += CHUNK_SIZE_BYTES) {
    signal?.throwIfAborted();
    if (start === 0) request.admit(body.length);
    await session.append(body.subarray(start, start + CHUNK_SIZE_BYTES), () => undefined);
  }
  return { content: { kind: "chunks", chunks: await session.finish() }, summary };
}

async function storeStream(
  deps: BodyWriterDeps,
  session: AppendSession,
  request: StoreBody & { readonly iterator: AsyncIterator<Uint8Array> },
): Promise<StoredBody> {
  const { iterator, signal } = request;
  const small = new SmallBody(SMALL_BODY_BYTES_MAX);
  let next = await iterator.next();
  while (next.done !== true && small.add(next.value)) next = await iterator.next();
  signal?.throwIfAborted();
  if (next.done === true) {
    const { body: _stream, ...rest } = request;
    return storeWhole(deps, session, { ...rest, body: small.bytes() });
  }
  using hash = new BodyHash(deps.hashes);
  const cutter = new ChunkCutter(deps.budget, session, hash, request.admit);
  try {
    await cutter.add(small.bytes());
    while (next.done !== true) {
      await cutter.add(next.value);
      next = await iterator.next();
    }
    signal?.throwIfAborted();
    await cutter.flush();
  } finally {
    cutter[Symbol.dispose]();
  }
  const chunks = await session.finish();
  const summary = { sizeBytes: cutter.sizeBytes, md5: await hash.digest() };
  return { content: { kind: "chunks", chunks }, summary };
}

/** Copies pieces into lent buffers and sends each full one off. Pieces are not kept: their producer may reuse them. */
class ChunkCutter implements Disposable {
  sizeBytes = 0;
  readonly #budget: WriteBudget;
  readonly #session: AppendSession;
  readonly #hash: BodyHash;
  readonly #admit: (sizeBytes: number) => void;
  #buffer: Awaited<ReturnType<WriteBudget["take"]>> | undefined;
  #filledBytes = 0;

  // oxlint-disable-next-line max-params -- the four are of four types and private to this file
  constructor(
    budget: WriteBudget,
    session: AppendSession,
    hash: BodyHash,
    admit: (sizeBytes: number) => void,
  ) {
    this.#budget = budget;
    this.#session = session;
    this.#hash = hash;
    this.#admit = admit;
  }

  async add(piece: Uint8Array): Promise<void> {
    this.sizeBytes += piece.length;
    let taken = 0;
    while (taken < piece.length) {
      this.#buffer ??= await this.#budget.take();
      const part = piece.subarray(taken, taken + CHUNK_SIZE_BYTES - this.#filledBytes);
      this.#buffer.bytes.set(part, this.#filledBytes);
      this.#hash.part(part);
      this.#filledBytes += part.length;
      taken += part.length;
      if (this.#filledBytes === CHUNK_SIZE_BYTES) await this.flush();
    }
  }

  async flush(): Promise<void> {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    this.#admit(this.sizeBytes);
    const data = buffer.bytes.subarray(0, this.#filledBytes);
    this.#buffer = undefined;
    this.#filledBytes = 0;
    const giveBack = (): void => buffer[Symbol.dispose]();
    const hashed = this.#hash.cut(data);
    await this.#session.append(data, () => {
      this.#hash.hurry();
      if (hashed === undefined) giveBack();
      else void hashed.then(giveBack);
    });
  }

  [Symbol.dispose](): void {
    this.#buffer?.[Symbol.dispose]();
    this.#buffer = undefined;
  }
}
