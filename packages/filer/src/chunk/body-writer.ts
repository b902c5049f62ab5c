import { type Body, type Hashes, isByteStream } from "@kelp/base";
import { CHUNK_SIZE_BYTES, type BodySummary, type Content } from "@kelp/wire";
import { SMALL_BODY_BYTES_MAX } from "../limits.ts";
import { abortable } from "./abortable.ts";
import type { AppendSession } from "./append-session.ts";
import { BodyHash } from "./body-hash.ts";
import { ChunkCutter } from "./chunk-cutter.ts";
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
  const cutter = new ChunkCutter({ budget: deps.budget, session, hash, admit: request.admit });
  try {
    await cutter.add(small.bytes());
    while (next.done !== true) {
      await cutter.add(next.value);
      next = await cutter.waitFor(iterator.next());
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
