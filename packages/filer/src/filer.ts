import type { CallHandlers, Random, SqlDatabase } from "@kelp/base";
import { type Namespace, type VolumeClient, filerCollection } from "@kelp/wire";
import { CollectorHolds } from "./backup/collector-holds.ts";
import { storeIdOf } from "./backup/store-id.ts";
import { type BodyOptions, openBodies } from "./chunk/bodies.ts";
import { checkFiler } from "./check/check.ts";
import type { CheckFinding, CheckOptions } from "./check/finding.ts";
import { type NeedleName, type NeedleOwner, ownersOf } from "./check/owners.ts";
import { type CollectOptions, type CollectReport, collectRound } from "./collect/collector.ts";
import { OrphanSweep, type SweepOptions, type SweepReport } from "./collect/orphan-sweep.ts";
import { RefusingVolumes } from "./collect/refusing-volumes.ts";
import { followChanges } from "./feed/change-feed.ts";
import { NO_OTHER_BODIES, type OtherBodies } from "./gateway/gateways.ts";
import { serveStore } from "./gateway/serve-store.ts";
import { sealStore } from "./seal/sealed-store.ts";
import { Sealing } from "./seal/sealing.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";

export interface FilerOptions extends BodyOptions {
  /** Borrowed, and closed by its owner after the filer. Other rooms may use it too, outside its transactions. */
  readonly database: SqlDatabase;
  readonly volumes: VolumeClient;
  readonly random: Random;
  /** What gateways are doing with chunks. Absent: there are none. */
  readonly others?: OtherBodies;
  /** What heads of entries kept in memory may take, and what contents; 0 keeps none. Default `HOT_HEADS_BYTES_MAX` and `HOT_CONTENTS_BYTES_MAX`. */
  readonly hotBytesMax?: number;
  /** Runs its argument soon; how long a transaction waits for company. Default `setImmediate`. */
  readonly defer?: (run: () => void) => void;
}

/** The filer with the work that its owner has done from time to time. */
export interface OpenFiler extends Namespace, Disposable {
  /**
   * Does what was promised and removes what nothing names any more: rows of dropped trees, prefixes, snapshots and lifetimes,
   * then chunks. One bounded round, to be called on a timer and again, after a rest, while `hasMore`. One round at a time; a
   * second call joins the running one. Throws what the volumes throw, and `FilerError`.
   */
  collect(options?: CollectOptions): Promise<CollectReport>;
  /**
   * Removes needles that crashes left behind: reads all volumes, so it is to be called seldom and at a pace. A needle goes when
   * two sweeps found it known to nobody. One sweep at a time; a second call joins the running one.
   */
  sweepOrphans(options?: SweepOptions): Promise<SweepReport>;
  /** Checks every needle and entry against each other, beside running work. No finding means all is well. */
  check(options?: CheckOptions): AsyncIterable<CheckFinding>;
  /** Who has content in these needles: for telling what damage means. Reads all lists once. */
  ownersOf(needles: readonly NeedleName[]): AsyncIterable<NeedleOwner>;
  /** Resolves when a running `collect` is over; until it is ended none frees chunks. `undefined` when too many hold. */
  hold(): Promise<Disposable | undefined>;
  /**
   * Forgets the buffers for large bodies when none was needed since the last call, to be called on a timer. Returns their bytes, which
   * are free after the next full collection.
   */
  releaseMemory(): number;
  /** What gateways have this filer do. Values come and go sealed. */
  gatewayCalls(): CallHandlers;
  /** Tells this store from others; made at the first call. */
  storeId(): string;
  /** Commits what is waiting; later writes are refused with `closed`. Disposing twice is harmless. */
  [Symbol.dispose](): void;
}

/** Opens the filer on a database and the way to volumes, bringing the schema to the newest version. */
export function openFiler(options: FilerOptions): OpenFiler {
  const { volumes, clock, log, others = NO_OTHER_BODIES } = options;
  const sealing = options.keyRing === undefined ? undefined : new Sealing(options.keyRing);
  const plainStore = openSqliteStore(options);
  const collection = filerCollection(storeIdOf(options.database, options.random));
  const store = sealing === undefined ? plainStore : sealStore(plainStore, sealing);
  const bodies = openBodies(store, sealing, { ...options, collection });
  const { isInFlight, pins, readManifest } = bodies;
  const refusing = new RefusingVolumes(clock);
  let collecting: Promise<CollectReport> | undefined;
  const holds = new CollectorHolds(() => collecting);
  const sweep = new OrphanSweep({
    store,
    volumes,
    readManifest,
    collection,
    isInFlight,
    others,
    clock,
    log,
  });
  let sweeping: Promise<SweepReport> | undefined;
  return {
    ...store,
    ...bodies.files,
    collect(collectOptions) {
      collecting ??= collectRound(
        { store, volumes, readManifest, pins, holds, others, refusing, clock, log },
        collectOptions,
      ).finally(() => {
        collecting = undefined;
      });
      return collecting;
    },
    sweepOrphans(sweepOptions) {
      if (sweepOptions?.only !== undefined) return sweep.run(sweepOptions);
      sweeping ??= sweep.run(sweepOptions).finally(() => {
        sweeping = undefined;
      });
      return sweeping;
    },
    hold: () => holds.hold(),
    releaseMemory: () => bodies.releaseMemory(),
    storeId: () => storeIdOf(options.database, options.random),
    subscribe: (query) => followChanges(store, query),
    check: (checkOptions) =>
      checkFiler({ store, volumes, readManifest, collection, isInFlight, others }, checkOptions),
    ownersOf: (needles) => ownersOf({ store, readManifest }, needles),
    gatewayCalls: () => serveStore(plainStore),
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}
