import {
  type ByteStream,
  type Clock,
  type Disk,
  type Hashes,
  type Log,
  type Random,
  type SqlDatabase,
  assert,
} from "@kelp/base";
import type { Entry, MasterClient, Namespace, VolumeClient } from "@kelp/wire";
import { readEntry } from "./chunk/chunk-reader.ts";
import { FileWriter } from "./chunk/file-writer.ts";
import { ReadBudget } from "./chunk/read-budget.ts";
import { ReaderPins } from "./chunk/reader-pins.ts";
import { WriteBudget } from "./chunk/write-budget.ts";
import { type CheckFinding, type CheckOptions, checkFiler } from "./check/check.ts";
import { type CollectOptions, type CollectReport, collectRound } from "./collect/collector.ts";
import { followChanges } from "./feed/change-feed.ts";
import {
  INLINE_BYTES_MAX,
  READ_AHEAD_BUDGET_BYTES,
  SMALL_BODY_BYTES_MAX,
  WRITE_BUDGET_BYTES,
} from "./limits.ts";
import { SpaceGuard } from "./space/space-guard.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";

export interface FilerOptions {
  /** Borrowed, and closed by its owner after the filer. Other rooms may use it too, outside its transactions. */
  readonly database: SqlDatabase;
  readonly volumes: VolumeClient;
  readonly master: MasterClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
  readonly log: Log;
  /** The collection that the filer's volumes bear. Default "". */
  readonly collection?: string;
  /** Bodies up to this size stand in the entry: 0 … `SMALL_BODY_BYTES_MAX`. Default `INLINE_BYTES_MAX`. */
  readonly inlineBytesMax?: number;
  /** Buffers of all bodies being written. Default `WRITE_BUDGET_BYTES`. */
  readonly writeBudgetBytes?: number;
  /** Chunks read ahead for all readers. Default `READ_AHEAD_BUDGET_BYTES`. */
  readonly readAheadBudgetBytes?: number;
  /** What new content leaves free on the file system of `folder`. Absent: nothing. */
  readonly reserve?: { readonly disk: Disk; readonly folder: string; readonly bytes: number };
  /** Runs its argument soon; how long a transaction waits for company. Default `setImmediate`. */
  readonly defer?: (run: () => void) => void;
}

/** The filer with the work that its owner has done from time to time. */
export interface OpenFiler extends Namespace, Disposable {
  /**
   * Does what was promised and removes what nothing names any more: rows of dropped trees, prefixes, snapshots and lifetimes,
   * then chunks. One bounded round, to be called on a timer and again, after a rest, while `hasMore`. One round at a time; a second call joins the running one. Throws what the volumes throw, and `FilerError`.
   */
  collect(options?: CollectOptions): Promise<CollectReport>;
  /** Checks every needle and entry against each other, beside running work. No finding means all is well. */
  check(options?: CheckOptions): AsyncIterable<CheckFinding>;
  /** Commits what is waiting; later writes are refused with `closed`. Disposing twice is harmless. */
  [Symbol.dispose](): void;
}

/** Opens the filer on a database and the way to volumes, bringing the schema to the newest version. */
export function openFiler(options: FilerOptions): OpenFiler {
  const { volumes, clock, hashes, log, collection = "" } = options;
  const inlineBytesMax = options.inlineBytesMax ?? INLINE_BYTES_MAX;
  assert(inlineBytesMax >= 0, "the inline limit is a size");
  assert(inlineBytesMax <= SMALL_BODY_BYTES_MAX, "inline content is a small body");
  const store = openSqliteStore(options);
  const pins = new ReaderPins();
  const readBudget = new ReadBudget(options.readAheadBudgetBytes ?? READ_AHEAD_BUDGET_BYTES);
  const writer = new FileWriter({
    store,
    volumes,
    master: options.master,
    collection,
    space: spaceGuard(options),
    hashes,
    budget: new WriteBudget(options.writeBudgetBytes ?? WRITE_BUDGET_BYTES),
    inlineBytesMax,
    log,
  });
  const isInFlight = writer.isInFlight.bind(writer);
  let collecting: Promise<CollectReport> | undefined;
  return {
    ...store,
    writeFile: (request) => writer.writeFile(request),
    readFile: (entry, range, readOptions) =>
      pinned(pins, { volumes, budget: readBudget }, entry, {
        range: range ?? { start: 0, end: entry.sizeBytes },
        pieces: readOptions?.pieces ?? "kept",
      }),
    async writePart(request) {
      const upload = await store.getUpload(request.tree, request.id);
      return upload.kind === "refused" ? upload : writer.writePart(request);
    },
    collect(collectOptions) {
      collecting ??= collectRound({ store, volumes, pins, clock, log }, collectOptions).finally(
        () => {
          collecting = undefined;
        },
      );
      return collecting;
    },
    subscribe: (query) => followChanges(store, query),
    check: (checkOptions) => checkFiler({ store, volumes, collection, isInFlight }, checkOptions),
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}

function spaceGuard({ reserve, clock }: FilerOptions): SpaceGuard | undefined {
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
