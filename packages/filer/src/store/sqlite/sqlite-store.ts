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
import {
  type EntryPath,
  LIST_KEYS_MAX,
  type ListPage,
  type ListQuery,
  type TreeName,
} from "@kelp/wire";
import { GroupCommit } from "../../commit/group-commit.ts";
import { FilerError, storeError } from "../../errors.ts";
import type { PathPlace } from "../../list/path-place.ts";
import type { FilerStore, UsageCheck } from "../filer-store.ts";
import { ContentScan } from "./content-scan.ts";
import { EntryListing } from "./entry-listing.ts";
import { EntryWrites } from "./entry-writes.ts";
import { beginPrefixJob, renamePrefix } from "./prefix-rename.ts";
import { Reclaim } from "./reclaim.ts";
import { type PathRun, type RowView, ownView, uncopiedView } from "./row-view.ts";
import { UNKNOWN } from "./hot-reads.ts";
import { MIGRATIONS } from "./schema.ts";
import { type SnapshotRow, snapshotOf } from "./snapshot-rows.ts";
import { SnapshotWrites } from "./snapshot-writes.ts";
import { NewestState } from "./newest-state.ts";
import { type StoreTables, openStoreTables } from "./store-tables.ts";
import type { TreeState } from "./tree-rows.ts";
import { TreeWrites } from "./tree-writes.ts";
import { DescribeFailure, completeUpload, joinedParts } from "./upload-completion.ts";
import { listUploads } from "./upload-listing.ts";
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
  const getEntry = fresh((name: TreeName, path: EntryPath) => store.getEntry(name, path));
  const headEntry = fresh((name: TreeName, path: EntryPath) => store.headEntry(name, path));
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
      return found ?? getEntry(name, path);
    },
    async headEntry(name, path) {
      const found = known(name, (tree) => tables.hotReads.knownHead(tree, path));
      return found ?? headEntry(name, path);
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
    afterRollback: () => {
      tables.trees.forget();
      tables.hot.rolledBack();
    },
    afterCommit: () => {
      tables.hot.committed();
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

interface StoreParts {
  readonly tables: StoreTables;
  readonly commit: GroupCommit;
  readonly watchers: Set<() => void>;
  readonly entries: EntryWrites;
  readonly uploads: UploadWrites;
  readonly snapshots: SnapshotWrites;
  readonly reclaim: Reclaim;
  readonly listing: EntryListing;
  readonly scan: ContentScan;
  readonly defer: (run: () => void) => void;
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

type TreeCalls = Pick<
  FilerStore,
  "createTree" | "getTree" | "listTrees" | "deleteTree" | "setQuota" | "setTreeAttributes"
>;

function treeCalls({ tables, commit, snapshots }: StoreParts): TreeCalls {
  const writes = new TreeWrites(tables, snapshots);
  return {
    createTree: (request) => commit.run(() => writes.create(request)),
    async getTree(name) {
      return reading(() => {
        return tables.trees.peek(name);
      });
    },
    async listTrees() {
      return reading(() => tables.trees.all());
    },
    deleteTree: (name, options) => commit.run(() => writes.delete(name, options)),
    setQuota: (name, change) => commit.run(() => writes.setQuota(name, change)),
    setTreeAttributes: (name, attributes) =>
      commit.run(() => writes.setAttributes(name, attributes)),
  };
}

type EntryCalls = Pick<
  FilerStore,
  | "getEntry"
  | "headEntry"
  | "listEntries"
  | "admits"
  | "putEntry"
  | "extendEntry"
  | "deleteEntry"
  | "setEntryAttributes"
  | "renameEntry"
>;

function entryCalls(parts: StoreParts): EntryCalls {
  const { tables, commit, entries, listing } = parts;
  return {
    async getEntry(name, path) {
      return reading(() => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        const entry = tables.hotReads.findWhole(tree, path);
        return entry === undefined ? refused("no-such-entry") : ok(entry);
      });
    },
    async headEntry(name, path) {
      return reading(() => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        const head = tables.hotReads.findHead(tree, path);
        return head === undefined ? refused("no-such-entry") : ok(head);
      });
    },
    listEntries: (name, query) =>
      readingLong(async (): Promise<Result<ListPage, "no-such-tree">> => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        if (tables.reads.view(tree) === undefined) return ok(listing.page(tree.id, query));
        return (await viewPage(parts, tree, query)) ?? refused("no-such-tree");
      }),
    admits: (request) => reading(() => entries.admits(request)),
    putEntry: (request) => commit.run(() => entries.put(request)),
    extendEntry: (request) => commit.run(() => entries.extend(request)),
    deleteEntry: (request) => commit.run(() => entries.delete(request)),
    setEntryAttributes: (name, path, change) =>
      commit.run(() => entries.setAttributes(name, path, change)),
    renameEntry: (name, source, target) => commit.run(() => entries.rename(name, source, target)),
  };
}

/** What a tree shows may change between two reads of a page, and the tree may go. */
async function viewPage(
  parts: StoreParts,
  { id, name }: TreeState,
  query: ListQuery,
): Promise<Result<ListPage, never> | undefined> {
  const { tables, listing } = parts;
  const gone = new Error("Cannot go on listing: the tree is gone");
  const viewNow = (): RowView => {
    const tree = tables.trees.find(name);
    if (tree?.id !== id) throw gone;
    return tables.reads.view(tree) ?? ownView(tables, id, () => true);
  };
  try {
    return ok(await listing.viewPage(viewNow, query, () => turn(parts)));
  } catch (error) {
    if (error === gone) return undefined;
    throw error;
  }
}

function turn({ defer }: StoreParts): Promise<void> {
  return new Promise((resolve) => defer(resolve));
}

/**
 * Runs work on a tree whose rows all stand in their places: what is still on its way is brought there first, in as many
 * transactions as that takes.
 */
async function settled<Value>(
  { tables, commit, reclaim }: StoreParts,
  name: TreeName,
  work: (tree: TreeState | undefined) => Value,
): Promise<Value> {
  for (;;) {
    const done = await commit.run(() => {
      const tree = tables.trees.find(name);
      const isSettled = tree?.prefixJob === undefined && tree?.base === undefined;
      if (isSettled) return { value: work(tree) };
      reclaim.settle(tree);
      return undefined;
    });
    if (done !== undefined) return done.value;
  }
}

function prefixCalls(parts: StoreParts): Pick<FilerStore, "renamePrefix" | "deletePrefix"> {
  const { tables, entries } = parts;
  return {
    async renamePrefix(tree, source, target) {
      const sourcePrefix = source.toWellFormed();
      const targetPrefix = target.toWellFormed();
      const outcome = await settled(parts, tree, () =>
        renamePrefix(tables, entries, { tree, sourcePrefix, targetPrefix }),
      );
      if (outcome instanceof FilerError) throw outcome;
      return outcome;
    },
    deletePrefix: (name, prefix) =>
      settled(parts, name, (tree): Result<void, "no-such-tree"> => {
        if (tree === undefined) return refused("no-such-tree");
        beginPrefixJob(tables, tree, { kind: "delete-prefix", source: prefix.toWellFormed() });
        return ok(undefined);
      }),
  };
}

type SnapshotCalls = Pick<
  FilerStore,
  | "createSnapshot"
  | "listSnapshots"
  | "deleteSnapshot"
  | "getSnapshotEntry"
  | "listSnapshotEntries"
  | "cloneTree"
>;

function snapshotCalls(parts: StoreParts): SnapshotCalls {
  const { tables, commit, snapshots, listing } = parts;
  const find = (
    name: TreeName,
    snapshot: string,
  ): Result<SnapshotRow, "no-such-tree" | "no-such-snapshot"> => {
    const tree = tables.trees.find(name);
    if (tree === undefined) return refused("no-such-tree");
    const row = tables.snapshots.find(tree.id, snapshot);
    return row === undefined ? refused("no-such-snapshot") : ok(row);
  };
  return {
    createSnapshot: (tree, name) => settled(parts, tree, () => snapshots.create(tree, name)),
    async listSnapshots(name) {
      return reading(() => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        const rows = tables.snapshots.all(tree.id);
        return ok(
          rows.flatMap(({ name: own, ...row }) =>
            own === null ? [] : [snapshotOf({ ...row, name: own })],
          ),
        );
      });
    },
    deleteSnapshot: (tree, name) => commit.run(() => snapshots.delete(tree, name)),
    async getSnapshotEntry(name, snapshot, path) {
      return reading(() => {
        const found = find(name, snapshot);
        if (found.kind === "refused") return found;
        const row = tables.reads.snapshotView(found.value).find(path);
        const entry = tables.reads.wholeOf(row);
        return entry === undefined ? refused("no-such-entry") : ok(entry);
      });
    },
    listSnapshotEntries: (name, snapshot, query) =>
      readingLong(async () => {
        const found = find(name, snapshot);
        if (found.kind === "refused") return found;
        const view = tables.reads.snapshotView(found.value);
        return ok(
          await listing.viewPage(
            () => view,
            query,
            () => turn(parts),
          ),
        );
      }),
    cloneTree: (request) => settled(parts, request.source, () => snapshots.clone(request)),
  };
}

type UploadCalls = Pick<
  FilerStore,
  | "createUpload"
  | "getUpload"
  | "putPart"
  | "listParts"
  | "listUploads"
  | "joinedParts"
  | "completeUpload"
  | "abortUpload"
>;

function uploadCalls({ tables, commit, uploads, entries }: StoreParts): UploadCalls {
  return {
    createUpload: (request) => commit.run(() => uploads.create(request)),
    async getUpload(name, id) {
      return reading(() => uploads.get(name, id));
    },
    putPart: (request) => commit.run(() => uploads.putPart(request)),
    async listParts(name, id, query) {
      return reading(() => uploads.listParts(name, id, query));
    },
    async listUploads(name, query) {
      return reading(() => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        return ok(listUploads(tables.uploads, tree.id, query));
      });
    },
    async joinedParts(request, recordsMax) {
      return reading(() => joinedParts(tables, request, recordsMax));
    },
    async completeUpload(request) {
      const outcome = await commit.run(() => completeUpload(tables, entries, request));
      if (outcome instanceof DescribeFailure) throw outcome.error;
      return outcome;
    },
    abortUpload: (name, id) => commit.run(() => uploads.abort(name, id)),
  };
}

type LogCalls = Pick<FilerStore, "readChanges" | "changeBounds" | "watchCommits">;

function logCalls({ tables, watchers }: StoreParts): LogCalls {
  return {
    async readChanges(query) {
      return reading(() => tables.changes.read(query));
    },
    changeBounds: () => ({
      newest: tables.changes.position,
      keptAfter: tables.changes.prunedPosition,
    }),
    watchCommits(listener) {
      // A function of its own, so that one listener may watch twice.
      const watcher = (): void => listener();
      watchers.add(watcher);
      return { [Symbol.dispose]: () => void watchers.delete(watcher) };
    },
  };
}

type ReferenceCalls = Pick<
  FilerStore,
  | "addGarbage"
  | "listGarbage"
  | "dropGarbage"
  | "forgetListed"
  | "isReferenced"
  | "listReferences"
  | "referenceCount"
  | "scanContents"
  | "countHolders"
  | "countUsage"
>;

function referenceCalls({ tables, commit, scan }: StoreParts): ReferenceCalls {
  const { contents, clock } = tables;
  return {
    addGarbage: (chunks) => commit.run(() => contents.addGarbage(chunks, clock.nowMs())),
    listGarbage: (query) => reading(() => contents.listGarbage(query)),
    dropGarbage: (ids) => commit.run(() => contents.dropGarbage(ids)),
    forgetListed: (chunks) => commit.run(() => contents.forget(chunks)),
    isReferenced: (fid) => reading(() => contents.isReferenced(fid)),
    listReferences: (query) => reading(() => contents.listReferences(query)),
    referenceCount: () => reading(() => contents.referenceCount()),
    scanContents: () => scan.contents(),
    countHolders: () => reading(() => scan.holders()),
    countUsage: () => reading(() => scan.usage().map((found) => withUncopied(tables, found))),
  };
}

/** A copy counts from its first moment what is still to come into its rows. */
function withUncopied(tables: StoreTables, found: UsageCheck): UsageCheck {
  const tree = tables.trees.find(found.tree);
  if (tree?.base === undefined) return found;
  const left = uncopiedView(tables, tree.id, tree.base, "unchecked");
  let { bytes, entries, chunks } = found.counted;
  let place: PathPlace | undefined = { path: "", bound: ">=" };
  while (place !== undefined) {
    const run: PathRun = left.run(place, undefined, LIST_KEYS_MAX);
    for (const row of run.rows) {
      bytes += row.sizeBytes;
      chunks += row.chunkCount;
    }
    entries += run.rows.length;
    place = run.next;
  }
  return { ...found, counted: { bytes, entries, chunks } };
}

function reading<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw storeError(error);
  }
}

async function readingLong<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    throw storeError(error);
  }
}
