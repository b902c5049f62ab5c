import {
  type Clock,
  type Hashes,
  type Random,
  type Result,
  type SqlDatabase,
  migrate,
  ok,
  refused,
} from "@kelp/base";
import type { TreeName } from "@kelp/wire";
import { GroupCommit } from "../../commit/group-commit.ts";
import type { FilerStore } from "../filer-store.ts";
import { treeCalls } from "./calls/tree-calls.ts";
import { entryCalls } from "./calls/entry-calls.ts";
import { prefixCalls } from "./calls/prefix-calls.ts";
import { snapshotCalls } from "./calls/snapshot-calls.ts";
import { uploadCalls } from "./calls/upload-calls.ts";
import { logCalls } from "./calls/log-calls.ts";
import { referenceCalls } from "./calls/reference-calls.ts";
import { reading } from "./calls/reading.ts";
import type { StoreParts } from "./calls/store-parts.ts";
import { ContentScan } from "./content-scan.ts";
import { EntryListing } from "./entry-listing.ts";
import { EntryWrites } from "./entry-writes.ts";
import { Reclaim } from "./reclaim.ts";
import { UNKNOWN } from "./hot-reads.ts";
import { MIGRATIONS } from "./schema.ts";
import { SnapshotWrites } from "./snapshot-writes.ts";
import { NewestState } from "./newest-state.ts";
import { type StoreTables, openStoreTables } from "./store-tables.ts";
import type { TreeState } from "./tree-rows.ts";
import { UploadWrites } from "./upload-writes.ts";

export interface SqliteStoreOptions {
  /** Borrowed: who opened it closes it, after this store. */
  readonly database: SqlDatabase;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
  readonly defer?: (run: () => void) => void;
  /** What heads of entries kept in memory may take, and what contents; 0 keeps none. Default `HOT_HEADS_BYTES_MAX` and `HOT_CONTENTS_BYTES_MAX`. */
  readonly hotBytesMax?: number;
}

/** Opens the metadata store in a database, bringing its schema to the newest version. */
export function openSqliteStore(options: SqliteStoreOptions): FilerStore {
  migrate(options.database, "filer", MIGRATIONS);
  return openOn(openStoreTables(options), options);
}

/** The reads that a gateway makes by itself. */
export type ReadCalls = Pick<
  FilerStore,
  | "getTree"
  | "listTrees"
  | "getEntry"
  | "headEntry"
  | "listEntries"
  | "admits"
  | "getUpload"
  | "listParts"
  | "listUploads"
  | "readChanges"
  | "listSnapshots"
  | "getSnapshotEntry"
  | "joinedParts"
>;

/**
 * The metadata of a database that another process changes and that is open for reading. Each call sees one state of it,
 * the newest at that moment. The schema must be there. Listing what is on its way elsewhere takes several looks, which
 * only make sense together where the changes are made: `writer` lists it.
 */
export function openSqliteReader(
  options: SqliteStoreOptions,
  writer: Pick<FilerStore, "listEntries">,
): ReadCalls {
  const { database } = options;
  const tables = openStoreTables(options);
  const store = openOn(tables, options);
  const newest = new NewestState(database, tables);
  const fresh =
    <Arguments extends unknown[], Value>(read: (...values: Arguments) => Value) =>
    (...values: Arguments): Value =>
      newest.read(() => read(...values));
  /** By memory alone. */
  const known = <Value>(
    name: TreeName,
    find: (tree: TreeState) => Value | undefined | typeof UNKNOWN,
  ): Result<Value, "no-such-tree" | "no-such-entry"> | undefined => {
    newest.forgetOlder();
    const tree = tables.trees.known(name);
    const found = tree === undefined ? UNKNOWN : find(tree);
    if (found === UNKNOWN) return undefined;
    return found === undefined ? refused("no-such-entry") : ok(found);
  };
  return {
    getTree: async (name) => reading(() => newest.findTree(name)),
    listTrees: fresh(() => store.listTrees()),
    async getEntry(name, path) {
      const found = known(name, (tree) => tables.hotReads.knownWhole(tree, path));
      return found ?? newest.readBriefly(() => store.getEntry(name, path));
    },
    async headEntry(name, path) {
      const found = known(name, (tree) => tables.hotReads.knownHead(tree, path));
      return found ?? newest.readBriefly(() => store.headEntry(name, path));
    },
    listEntries: fresh((name, query) => {
      const tree = tables.trees.find(name);
      const isInPlace = tree === undefined || tables.reads.view(tree) === undefined;
      return isInPlace ? store.listEntries(name, query) : writer.listEntries(name, query);
    }),
    admits: fresh((request) => store.admits(request)),
    getUpload: fresh((tree, id) => store.getUpload(tree, id)),
    listParts: fresh((tree, id, query) => store.listParts(tree, id, query)),
    listUploads: fresh((tree, query) => store.listUploads(tree, query)),
    readChanges: fresh((query) => store.readChanges(query)),
    listSnapshots: fresh((tree) => store.listSnapshots(tree)),
    getSnapshotEntry: fresh((tree, snapshot, path) => store.getSnapshotEntry(tree, snapshot, path)),
    joinedParts: fresh((request, recordsMax) => store.joinedParts(request, recordsMax)),
  };
}

function openOn(tables: StoreTables, options: SqliteStoreOptions): FilerStore {
  const watchers = new Set<() => void>();
  const commit = new GroupCommit({
    database: options.database,
    beforeCommit: () => tables.trees.flush(),
    afterRollback: () => tables.trees.forget(),
    afterCommit: () => {
      for (const watcher of watchers) watcher();
    },
    ...(options.defer === undefined ? {} : { defer: options.defer }),
  });
  const entries = new EntryWrites(tables);
  const uploads = new UploadWrites(tables);
  const snapshots = new SnapshotWrites(tables);
  return assemble({
    tables,
    commit,
    watchers,
    entries,
    uploads,
    snapshots,
    reclaim: new Reclaim({ tables, entries, uploads, snapshots }),
    listing: new EntryListing(options.database),
    scan: new ContentScan(options.database, options.hashes),
    defer: options.defer ?? ((run) => void setImmediate(run)),
  });
}

function assemble(parts: StoreParts): FilerStore {
  return {
    ...treeCalls(parts),
    ...entryCalls(parts),
    ...prefixCalls(parts),
    ...snapshotCalls(parts),
    ...uploadCalls(parts),
    ...logCalls(parts),
    ...referenceCalls(parts),
    reclaim: () => parts.commit.run(() => parts.reclaim.round()),
    [Symbol.dispose]: () => parts.commit.close(),
  };
}
