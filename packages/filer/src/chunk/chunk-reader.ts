import { type ByteStream, assert, assertCount } from "@kelp/base";
import { type ByteRange, type Chunk, type Entry, type VolumeClient, formatFid } from "@kelp/wire";
import { FilerError, errorCodes } from "../errors.ts";
import { READ_AHEAD_CHUNKS } from "../limits.ts";
import type { ReadBudget } from "./read-budget.ts";

export interface ReaderDeps {
  readonly volumes: VolumeClient;
  readonly budget: ReadBudget;
}

/** A chunk and the bytes `[start, end)` of it that are wanted. */
interface Slice {
  readonly chunk: Chunk;
  readonly start: number;
  readonly end: number;
}

interface Reading {
  readonly outcome: Promise<Outcome>;
  readonly budgetBytes: number;
}

type Outcome =
  | { readonly kind: "read"; readonly bytes: Uint8Array | undefined }
  | { readonly kind: "failed"; readonly error: unknown };

/**
 * The bytes of an entry, chunk by chunk, with a few chunks read ahead. The chunk that is waited for is read whatever the
 * budget says, so a reader that dawdles with chunks in hand cannot stop the others.
 */
export async function* readEntry(
  deps: ReaderDeps,
  entry: Entry,
  range: ByteRange,
): ByteStream & AsyncGenerator<Uint8Array> {
  assertCount(range.start, "range start is a count");
  assert(range.start <= range.end, "a range does not end before it starts");
  assert(range.end <= entry.sizeBytes, "a range ends within the entry");
  if (range.start === range.end) return;
  if (entry.content.kind === "inline") {
    yield entry.content.bytes.subarray(range.start, range.end);
    return;
  }
  const slices = slicesOf(entry.content.chunks, range);
  const ahead: Reading[] = [];
  let started = 0;
  try {
    for (const slice of slices) {
      if (ahead.length === 0) {
        ahead.push(begin(deps, slice.chunk, 0));
        started += 1;
      }
      while (ahead.length <= READ_AHEAD_CHUNKS && started < slices.length) {
        const next = slices[started];
        assert(next !== undefined, "read-ahead stays within the slices");
        if (!deps.budget.tryTake(next.chunk.sizeBytes)) break;
        ahead.push(begin(deps, next.chunk, next.chunk.sizeBytes));
        started += 1;
      }
      const reading = ahead[0];
      assert(reading !== undefined, "the slice is being read");
      const bytes = checked(slice.chunk, await reading.outcome);
      yield bytes.subarray(slice.start, slice.end);
      ahead.shift();
      deps.budget.give(reading.budgetBytes);
    }
  } finally {
    for (const reading of ahead) deps.budget.give(reading.budgetBytes);
  }
}

/** Failures become values at once: nobody may be waiting yet, or ever. */
function begin(deps: ReaderDeps, chunk: Chunk, budgetBytes: number): Reading {
  const outcome = deps.volumes.read(chunk.fid).then(
    (bytes): Outcome => ({ kind: "read", bytes }),
    (error: unknown): Outcome => ({ kind: "failed", error }),
  );
  return { outcome, budgetBytes };
}

function checked(chunk: Chunk, outcome: Outcome): Uint8Array {
  const name = formatFid(chunk.fid);
  if (outcome.kind === "failed") {
    const cause = { cause: outcome.error };
    if (errorCodes(outcome.error).includes("needle-corrupt")) {
      throw new FilerError("chunk-corrupt", `Cannot read chunk ${name}: it is corrupt`, cause);
    }
    throw new FilerError(
      "chunk-store-failed",
      `Cannot read chunk ${name}: its volume failed`,
      cause,
    );
  }
  const { bytes } = outcome;
  if (bytes === undefined) {
    throw new FilerError("chunk-missing", `Cannot read chunk ${name}: no volume holds it`);
  }
  if (bytes.length !== chunk.sizeBytes) {
    throw new FilerError(
      "chunk-corrupt",
      `Cannot read chunk ${name}: it has ${bytes.length} bytes, expected ${chunk.sizeBytes}`,
    );
  }
  return bytes;
}

function slicesOf(chunks: readonly Chunk[], range: ByteRange): Slice[] {
  const slices: Slice[] = [];
  let offset = 0;
  for (const chunk of chunks) {
    const start = Math.max(range.start - offset, 0);
    const end = Math.min(range.end - offset, chunk.sizeBytes);
    if (start < end) slices.push({ chunk, start, end });
    offset += chunk.sizeBytes;
    if (offset >= range.end) break;
  }
  return slices;
}
