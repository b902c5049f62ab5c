import { type ByteStream, assert, assertCount } from "@kelp/base";
import { type ByteRange, type Chunk, type Entry, type VolumeClient, formatFid } from "@kelp/wire";
import { FilerError, errorCodes } from "../errors.ts";
import { READ_AHEAD_CHUNKS } from "../limits.ts";
import type { Sealing } from "../seal/sealing.ts";
import { storedBytesOf } from "../seal/stored-bytes.ts";
import { type Slice, slicesOf } from "./manifest-reader.ts";
import type { PieceOwner, ReadBudget, ReadLease } from "./read-budget.ts";

export interface ReaderDeps {
  readonly volumes: Pick<VolumeClient, "read">;
  readonly budget: ReadBudget;
  /** Absent: there are no sealed chunks. */
  readonly sealing: Sealing | undefined;
}

interface Reading {
  readonly slice: Slice;
  readonly outcome: Promise<Outcome>;
  readonly lease: ReadLease;
}

type Outcome =
  | { readonly kind: "read"; readonly bytes: Uint8Array | undefined }
  | { readonly kind: "failed"; readonly error: unknown };

/**
 * The bytes of an entry, chunk by chunk, with a few chunks read ahead. The chunk that is waited for is read whatever the
 * budget says, so a reader that dawdles with chunks in hand cannot stop the others. Lent pieces go back when the next one
 * is asked for.
 */
export async function* readEntry(
  deps: ReaderDeps,
  entry: Entry,
  { range, pieces }: { readonly range: ByteRange; readonly pieces: PieceOwner },
): ByteStream & AsyncGenerator<Uint8Array> {
  assertCount(range.start, "range start is a count");
  assert(range.start <= range.end, "a range does not end before it starts");
  assert(range.end <= entry.sizeBytes, "a range ends within the entry");
  if (range.start === range.end) return;
  if (entry.content.kind === "inline") {
    yield entry.content.bytes.subarray(range.start, range.end);
    return;
  }
  const slices = slicesOf((chunk) => readChunk(deps, chunk), entry.content.chunks, range);
  const ahead: Reading[] = [];
  try {
    let { value: next } = await slices.next();
    while (next !== undefined || ahead.length > 0) {
      while (next !== undefined && ahead.length <= READ_AHEAD_CHUNKS) {
        const { sizeBytes } = next.chunk;
        const isWaitedFor = ahead.length === 0;
        const lease = isWaitedFor
          ? deps.budget.take(sizeBytes, pieces)
          : deps.budget.tryTake(sizeBytes, pieces);
        if (lease === undefined) break;
        ahead.push(begin(deps, next, lease));
        ({ value: next } = await slices.next());
      }
      const reading = ahead[0];
      assert(reading !== undefined, "the slice is being read");
      const { slice } = reading;
      const bytes = checked(slice.chunk, await reading.outcome);
      const content = opened(deps, slice.chunk, bytes);
      yield content.subarray(slice.start, slice.end);
      ahead.shift();
      reading.lease[Symbol.dispose]();
    }
  } finally {
    // The disk may still be writing into a lease's memory: it goes back when that is over.
    for (const { outcome, lease } of ahead) {
      const giveBack = (): void => lease[Symbol.dispose]();
      outcome.then(giveBack, giveBack);
    }
  }
}

/** Failures become values at once: nobody may be waiting yet, or ever. */
function begin(deps: ReaderDeps, slice: Slice, lease: ReadLease): Reading {
  return { slice, outcome: readOutcome(deps, slice.chunk, lease.scratch), lease };
}

function readOutcome(
  deps: Pick<ReaderDeps, "volumes">,
  chunk: Chunk,
  scratch?: Uint8Array,
): Promise<Outcome> {
  return deps.volumes.read(chunk.fid, scratch, chunk.hash64).then(
    (bytes): Outcome => ({ kind: "read", bytes }),
    (error: unknown): Outcome => ({ kind: "failed", error }),
  );
}

/** The content of one chunk in memory of its own: for manifests. Throws as `readEntry` does. */
export async function readChunk(
  deps: Pick<ReaderDeps, "volumes" | "sealing">,
  chunk: Chunk,
): Promise<Uint8Array> {
  return opened(deps, chunk, checked(chunk, await readOutcome(deps, chunk)));
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
  const expectedBytes = storedBytesOf(chunk);
  // Of a manifest the size says how much content it lists; its own bytes are told by their form.
  if (chunk.isManifest !== true && bytes.length !== expectedBytes) {
    throw new FilerError(
      "chunk-corrupt",
      `Cannot read chunk ${name}: it has ${bytes.length} bytes, expected ${expectedBytes}`,
    );
  }
  return bytes;
}

/** The content of a chunk, in the place of what was stored. */
function opened(
  { sealing }: Pick<ReaderDeps, "sealing">,
  chunk: Chunk,
  stored: Uint8Array,
): Uint8Array {
  if (chunk.sealedKey === undefined) return stored;
  if (sealing === undefined) {
    // The keys of a sealed store are there, or it does not open: this chunk list is not as it was written.
    throw new FilerError(
      "chunk-corrupt",
      `Cannot read chunk ${formatFid(chunk.fid)}: it is sealed, and the store is not`,
    );
  }
  return sealing.openChunk(chunk, stored);
}
