import {
  type Clock,
  type Hashes,
  type Random,
  type SqlDatabase,
  migrate,
  ok,
  refused,
} from "@kelp/base";
import { GroupCommit } from "../../commit/group-commit.ts";
import { FilerError, storeError } from "../../errors.ts";
import type { FilerStore } from "../filer-store.ts";
import { ContentScan } from "./content-scan.ts";
import { EntryListing } from "./entry-listing.ts";
import { EntryWrites } from "./entry-writes.ts";
import { renamePrefix } from "./prefix-rename.ts";
import { MIGRATIONS } from "./schema.ts";
import { type StoreTables, openStoreTables } from "./store-tables.ts";
import { treeOf } from "./tree-rows.ts";
import { TreeWrites } from "./tree-writes.ts";
import { DescribeFailure, completeUpload } from "./upload-completion.ts";
import { listUploads } from "./upload-listing.ts";
import { UploadWrites } from "./upload-writes.ts";

export interface SqliteStoreOptions {
  /** Borrowed: who opened it closes it, after this store. */
  readonly database: SqlDatabase;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
  readonly defer?: (run: () => void) => void;
  /** Who changes the database. `another-process`: it is open for reading only, and nothing of it is kept in memory. */
  readonly writer?: "this-process" | "another-process";
}

/** Opens the metadata store in a database, bringing its schema to the newest version. */
export function openSqliteStore(options: SqliteStoreOptions): FilerStore {
  if (options.writer !== "another-process") migrate(options.database, "filer", MIGRATIONS);
  const tables = openStoreTables(options);
  const commit = new GroupCommit({
    database: options.database,
    beforeCommit: () => tables.trees.flush(),
    afterRollback: () => tables.trees.forget(),
    ...(options.defer === undefined ? {} : { defer: options.defer }),
  });
  const parts = {
    tables,
    commit,
    entries: new EntryWrites(tables),
    uploads: new UploadWrites(tables),
    listing: new EntryListing(options.database),
    scan: new ContentScan(options.database, options.hashes),
  };
  return assemble(parts);
}

interface StoreParts {
  readonly tables: StoreTables;
  readonly commit: GroupCommit;
  readonly entries: EntryWrites;
  readonly uploads: UploadWrites;
  readonly listing: EntryListing;
  readonly scan: ContentScan;
}

function assemble(parts: StoreParts): FilerStore {
  const { tables, commit, entries } = parts;
  return {
    ...treeCalls(parts),
    ...uploadCalls(parts),
    ...referenceCalls(parts),
    async getEntry(name, path) {
      return reading(() => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        const entry = tables.entries.findWhole(tree.id, path);
        return entry === undefined ? refused("no-such-entry") : ok(entry);
      });
    },
    async listEntries(name, query) {
      return reading(() => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        return ok(parts.listing.page(tree.id, query));
      });
    },
    async readChanges(query) {
      return reading(() => tables.changes.read(query));
    },
    admits: (request) => reading(() => entries.admits(request)),
    putEntry: (request) => commit.run(() => entries.put(request)),
    deleteEntry: (request) => commit.run(() => entries.delete(request)),
    setEntryAttributes: (name, path, change) =>
      commit.run(() => entries.setAttributes(name, path, change)),
    renameEntry: (name, source, target) => commit.run(() => entries.rename(name, source, target)),
    async renamePrefix(tree, sourcePrefix, targetPrefix) {
      const outcome = await commit.run(() =>
        renamePrefix(tables, entries, { tree, sourcePrefix, targetPrefix }),
      );
      if (outcome instanceof FilerError) throw outcome;
      return outcome;
    },
    [Symbol.dispose]: () => commit.close(),
  };
}

type TreeCalls = Pick<
  FilerStore,
  "createTree" | "getTree" | "listTrees" | "deleteTree" | "setQuota" | "setTreeAttributes"
>;

function treeCalls({ tables, commit, uploads }: StoreParts): TreeCalls {
  const writes = new TreeWrites(tables, uploads);
  return {
    createTree: (request) => commit.run(() => writes.create(request)),
    async getTree(name) {
      return reading(() => {
        const tree = tables.trees.find(name);
        return tree === undefined ? undefined : treeOf(tree);
      });
    },
    async listTrees() {
      return reading(() => tables.trees.all());
    },
    deleteTree: (name) => commit.run(() => writes.delete(name)),
    setQuota: (name, quota) => commit.run(() => writes.setQuota(name, quota)),
    setTreeAttributes: (name, attributes) =>
      commit.run(() => writes.setAttributes(name, attributes)),
  };
}

type UploadCalls = Pick<
  FilerStore,
  | "createUpload"
  | "getUpload"
  | "putPart"
  | "listParts"
  | "listUploads"
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
    async completeUpload(request) {
      const outcome = await commit.run(() => completeUpload(tables, entries, request));
      if (outcome instanceof DescribeFailure) throw outcome.error;
      return outcome;
    },
    abortUpload: (name, id) => commit.run(() => uploads.abort(name, id)),
  };
}

type ReferenceCalls = Pick<
  FilerStore,
  | "addGarbage"
  | "listGarbage"
  | "dropGarbage"
  | "isReferenced"
  | "listReferences"
  | "referenceCount"
  | "scanContents"
  | "countUsage"
>;

function referenceCalls({ tables, commit, scan }: StoreParts): ReferenceCalls {
  const { contents, clock } = tables;
  return {
    addGarbage: (chunks) => commit.run(() => contents.addGarbage(chunks, clock.nowMs())),
    listGarbage: (query) => reading(() => contents.listGarbage(query)),
    dropGarbage: (ids) => commit.run(() => contents.dropGarbage(ids)),
    isReferenced: (fid) => reading(() => contents.isReferenced(fid)),
    listReferences: (query) => reading(() => contents.listReferences(query)),
    referenceCount: () => reading(() => contents.referenceCount()),
    scanContents: () => scan.contents(),
    countUsage: () => reading(() => scan.usage()),
  };
}

function reading<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw storeError(error);
  }
}
