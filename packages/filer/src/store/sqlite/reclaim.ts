import { assert, must, unreachable } from "@kelp/base";
import { RECLAIM_ROWS_MAX } from "../../limits.ts";
import type { EntryWrites } from "./entry-writes.ts";
import type { Job, PrefixJob } from "./job-rows.ts";
import type { PastRow } from "./past-rows.ts";
import { isSubject, snapshotView } from "./row-view.ts";
import type { SnapshotWrites } from "./snapshot-writes.ts";
import type { StoreTables } from "./store-tables.ts";
import type { TreeState } from "./tree-rows.ts";
import type { UploadWrites } from "./upload-writes.ts";

export interface ReclaimParts {
  readonly tables: StoreTables;
  readonly entries: EntryWrites;
  readonly uploads: UploadWrites;
  readonly snapshots: SnapshotWrites;
}

/**
 * The background work of the store, a bounded round at a time, each inside one transaction. All of it stands in tables, so
 * a restart goes on where the last transaction ended. Damaged rows do not stop it: what they name stays behind.
 */
export class Reclaim {
  readonly #parts: ReclaimParts;
  /** Kinds take turns, so that none waits for the end of another. */
  #turn = 0;
  #lastJob = 0;

  constructor(parts: ReclaimParts) {
    this.#parts = parts;
  }

  /** Does some work of one kind. False when there was none of any. */
  round(): boolean {
    const kinds = [
      () => this.#removeExpired(),
      () => this.#prefixRound(this.#parts.tables.jobs.prefixAfter(0)),
      () => this.#cloneRound(this.#parts.tables.snapshots.cloneAfter(0)),
      () => this.#jobRound(),
    ];
    for (let tried = 0; tried < kinds.length; tried += 1) {
      this.#turn = (this.#turn + 1) % kinds.length;
      if (must(kinds[this.#turn])()) return true;
    }
    return false;
  }

  /** Brings what one tree shows home, a round of it. True when nothing is left to do. */
  settle(tree: TreeState): boolean {
    if (tree.prefixJob !== undefined) this.#prefixRound(tree.prefixJob);
    else if (tree.base !== undefined) this.#cloneRound(tree.id);
    return tree.prefixJob === undefined && tree.base === undefined;
  }

  #removeExpired(): boolean {
    const { tables, entries } = this.#parts;
    const expired = tables.entries.expired(tables.clock.nowMs(), RECLAIM_ROWS_MAX);
    let removed = 0;
    for (const { treeId, path } of expired) {
      const tree = tables.trees.findById(treeId);
      if (tree === undefined) continue;
      const { row, visible } = entries.find(tree, path);
      if (row === undefined || visible !== undefined) continue;
      entries.remove(tree, row);
      removed += 1;
    }
    return removed > 0;
  }

  #prefixRound(job: PrefixJob | undefined): boolean {
    if (job === undefined) return false;
    const { tables } = this.#parts;
    const tree = must(tables.trees.findById(job.treeId));
    const rows = tables.entries.subjects(job, RECLAIM_ROWS_MAX);
    for (const row of rows) {
      assert(isSubject(row, job), "a job is about its own rows");
      tables.moves.moveSubject(tree, row, tables.entries.isSound(row));
    }
    if (rows.length < RECLAIM_ROWS_MAX) {
      tables.jobs.finishPrefix(job.treeId);
      tree.prefixJob = undefined;
    }
    return true;
  }

  #cloneRound(treeId: number | undefined): boolean {
    if (treeId === undefined) return false;
    const { tables, snapshots } = this.#parts;
    const tree = must(tables.trees.findById(treeId));
    const base = must(tree.base);
    const view = snapshotView(tables, base.snapshot, "unchecked");
    const run = view.run({ path: base.copied, bound: ">" }, undefined, RECLAIM_ROWS_MAX);
    for (const row of run.rows) {
      const isTaken =
        tables.entries.has(treeId, row.path) || tables.snapshots.isWhitedOut(treeId, row.path);
      if (!isTaken) tables.moves.copyRow(tree, row, tables.entries.isSound(row));
    }
    if (run.next === undefined) {
      snapshots.finishClone(tree);
      return true;
    }
    tables.snapshots.dropWhiteouts(treeId, run.next.path);
    tables.snapshots.setCopied(treeId, run.next.path);
    tree.base = { snapshot: base.snapshot, copied: run.next.path };
    return true;
  }

  #jobRound(): boolean {
    const { jobs } = this.#parts.tables;
    const first = jobs.after(this.#lastJob) ?? jobs.after(0);
    for (let job = first; job !== undefined;) {
      this.#lastJob = job.id;
      if (this.#doJob(job)) return true;
      const next: Job | undefined = jobs.after(job.id) ?? jobs.after(0);
      job = next?.id === first?.id ? undefined : next;
    }
    return false;
  }

  /** False when the job must wait. */
  #doJob(job: Job): boolean {
    switch (job.kind) {
      case "drop-tree":
        return this.#dropTree(job);
      case "drop-parts":
        return this.#dropParts(job);
      case "prune-past":
        return this.#prunePast(job);
      default:
        return unreachable(job.kind);
    }
  }

  /** Waits while a copy is made of the tree. */
  #dropTree(job: Job): boolean {
    const { tables, uploads } = this.#parts;
    const treeId = job.subject;
    if (tables.snapshots.all(treeId).length > 0) return false;
    const from = { path: "", bound: ">=" } as const;
    const rows = tables.entries.peek(treeId, from, { end: undefined, limit: RECLAIM_ROWS_MAX });
    for (const row of rows) {
      this.#release(row, tables.entries.isSound(row));
      tables.entries.delete(treeId, row.path);
    }
    let left = RECLAIM_ROWS_MAX - rows.length;
    const past = left > 0 ? this.#pastRows(treeId, job, left) : [];
    for (const row of past) this.#dropPast(treeId, row);
    left -= past.length;
    const whiteouts = left > 0 ? tables.snapshots.whiteouts(treeId, left) : [];
    for (const { path } of whiteouts) tables.snapshots.dropWhiteouts(treeId, path);
    left -= whiteouts.length;
    const open = left > 0 ? tables.uploads.numbersOf(treeId, left) : [];
    for (const upload of open) uploads.bury(upload);
    left -= open.length;
    if (left > 0) {
      tables.uploads.forgetCompleted(treeId);
      tables.jobs.finish(job);
    }
    return true;
  }

  #dropParts(job: Job): boolean {
    const { uploads, contents, clock, jobs } = this.#parts.tables;
    let freedChunks = 0;
    for (let count = 0; count < RECLAIM_ROWS_MAX && freedChunks < RECLAIM_CHUNKS_MAX; count += 1) {
      const part = uploads.peekPart(job.subject);
      if (part === undefined) {
        jobs.finish(job);
        return true;
      }
      if (uploads.isSound(part)) contents.freeList(part.chunks, clock.nowMs());
      uploads.deletePart(job.subject, part.number);
      freedChunks += part.chunkCount;
    }
    return true;
  }

  #prunePast(job: Job): boolean {
    const { tables } = this.#parts;
    const snapshots = tables.snapshots.all(job.subject);
    const rows = this.#pastRows(job.subject, job, RECLAIM_ROWS_MAX);
    for (const row of rows) {
      const isSeen = snapshots.some(
        ({ position }) => row.position <= position && position < row.until,
      );
      if (!isSeen) this.#dropPast(job.subject, row);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < RECLAIM_ROWS_MAX) tables.jobs.finish(job);
    else tables.jobs.advance(job, last);
    return true;
  }

  #pastRows(treeId: number, from: { path: string; until: number }, limit: number): PastRow[] {
    return this.#parts.tables.past.peek(treeId, from, { end: undefined, limit });
  }

  #dropPast(treeId: number, row: PastRow): void {
    const { past } = this.#parts.tables;
    this.#release(row, past.isSound(row));
    past.delete(treeId, row);
  }

  #release(
    row: { readonly contentId: number; readonly chunkCount: number },
    isSound: "sound" | "damaged",
  ): void {
    const { contents, clock } = this.#parts.tables;
    if (isSound === "sound") contents.release(row.contentId, row.chunkCount, clock.nowMs());
  }
}

/** Chunks of parts freed by one round, in whole parts. */
const RECLAIM_CHUNKS_MAX = 1000;
