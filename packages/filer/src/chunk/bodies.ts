import { type ByteStream, type Clock, type Disk, type Hashes, type Log, assert } from "@kelp/base";
import type { Appends, Entry, Fid, Filer, MasterClient, VolumeClient } from "@kelp/wire";
import {
  CHUNK_LIST_RECORDS_MAX,
  IDLE_BUFFERS_KEPT_BYTES,
  INLINE_BYTES_MAX,
  MANIFEST_RECORDS_MAX,
  READ_AHEAD_BUDGET_BYTES,
  SMALL_BODY_BYTES_MAX,
  WRITE_BUDGET_BYTES,
} from "../limits.ts";
import type { KeyRing } from "../seal/key-ring.ts";
import type { Sealing } from "../seal/sealing.ts";
import { SpaceGuard } from "../space/space-guard.ts";
import { readChunk, readEntry } from "./chunk-reader.ts";
import type { WriterStore } from "./file-writer-deps.ts";
import { FileWriter } from "./file-writer.ts";
import { releaseUnused } from "./idle-buffers.ts";
import { type ReadManifest, readManifest } from "./manifest-reader.ts";
import type { ListLimits } from "./manifest-writer.ts";
import { ReadBudget } from "./read-budget.ts";
import { ReaderPins } from "./reader-pins.ts";
import { WriteBudget } from "./write-budget.ts";

/** What it takes to read and write the bodies of files. */
export interface BodyOptions {
  readonly volumes: Pick<VolumeClient, "append" | "read" | "remove">;
  readonly master: Pick<MasterClient, "assign">;
  readonly clock: Clock;
  readonly hashes: Hashes;
  readonly log: Log;
  /** Bodies up to this size stand in the entry: 0 … `SMALL_BODY_BYTES_MAX`. Default `INLINE_BYTES_MAX`. */
  readonly inlineBytesMax?: number;
  /** Buffers of all bodies being written. Default `WRITE_BUDGET_BYTES`. */
  readonly writeBudgetBytes?: number;
  /** Chunks read ahead for all readers. Default `READ_AHEAD_BUDGET_BYTES`. */
  readonly readAheadBudgetBytes?: number;
  /** How long lists of chunks may be. Default `CHUNK_LIST_RECORDS_MAX` and `MANIFEST_RECORDS_MAX`. */
  readonly lists?: ListLimits;
  /** What new content leaves free on the file system of `folder`. Absent: nothing. */
  readonly reserve?: { readonly disk: Disk; readonly folder: string; readonly bytes: number };
  /** Seals chunks and values that are written from now on, and opens those that are sealed. Absent: the store is not sealed. */
  readonly keyRing?: KeyRing;
}

/** The bodies of files in one process: those being written and read, within their budgets. */
export interface Bodies {
  readonly files: Appends & Pick<Filer, "writeFile" | "readFile" | "writePart" | "completeUpload">;
  readonly readManifest: ReadManifest;
  /** Content that is being read here. */
  readonly pins: ReaderPins;
  /** Forgets idle buffers for chunks when none was needed since the last call, and returns their bytes; a few are kept. */
  releaseMemory(): number;
  /** Whether a body on its way here may be about to name the chunk. */
  readonly isInFlight: (fid: Fid) => boolean;
}

/** `store` is sealed already where `sealing` is given. */
export function openBodies(
  store: WriterStore,
  sealing: Sealing | undefined,
  options: BodyOptions & { readonly collection: string },
): Bodies {
  const { volumes, hashes, log, collection } = options;
  const inlineBytesMax = options.inlineBytesMax ?? INLINE_BYTES_MAX;
  assert(inlineBytesMax >= 0, "the inline limit is a size");
  assert(inlineBytesMax <= SMALL_BODY_BYTES_MAX, "inline content is a small body");
  const pins = new ReaderPins();
  const readBudget = new ReadBudget(options.readAheadBudgetBytes ?? READ_AHEAD_BUDGET_BYTES);
  const readFile: Filer["readFile"] = (entry, range, readOptions) =>
    pinned(pins, { volumes, budget: readBudget, sealing }, entry, {
      range: range ?? { start: 0, end: entry.sizeBytes },
      pieces: readOptions?.pieces ?? "kept",
    });
  const writeBudget = new WriteBudget(
    options.writeBudgetBytes ?? WRITE_BUDGET_BYTES,
    options.clock,
  );
  const writerDeps = {
    store,
    volumes,
    master: options.master,
    collection,
    space: spaceGuard(options),
    sealing,
    hashes,
    budget: writeBudget,
    inlineBytesMax,
    lists: options.lists ?? {
      recordsMax: CHUNK_LIST_RECORDS_MAX,
      manifestRecordsMax: MANIFEST_RECORDS_MAX,
    },
    log,
  };
  const readListed: ReadManifest = (manifest) =>
    readManifest((chunk) => readChunk({ volumes, sealing }, chunk), manifest);
  const writer = new FileWriter(writerDeps, {
    readFile: (entry, range) => readFile(entry, range, { pieces: "lent" }),
    readManifest: readListed,
  });
  return {
    files: {
      writeFile: (request) => writer.writeFile(request),
      appendFile: (request) => writer.appendFile(request),
      readFile,
      async writePart(request) {
        const upload = await store.getUpload(request.tree, request.id);
        return upload.kind === "refused" ? upload : writer.writePart(request);
      },
      completeUpload: (request) => writer.completeUpload(request),
    },
    readManifest: readListed,
    pins,
    releaseMemory: () =>
      releaseUnused([writeBudget.idle, readBudget.idle], IDLE_BUFFERS_KEPT_BYTES),
    isInFlight: (fid) => writer.isInFlight(fid),
  };
}

function spaceGuard({ reserve, clock }: BodyOptions): SpaceGuard | undefined {
  if (reserve === undefined) return undefined;
  const { disk, folder, bytes } = reserve;
  return new SpaceGuard({ disk, folder, clock, reserveBytes: bytes });
}

/** Holds the entry's chunks from the first piece asked for until the stream ends. */
async function* pinned(
  pins: ReaderPins,
  deps: Parameters<typeof readEntry>[0],
  entry: Entry,
  what: Parameters<typeof readEntry>[2],
): AsyncGenerator<Uint8Array> & ByteStream {
  using _pin = pins.pin(entry);
  yield* readEntry(deps, entry, what);
}
