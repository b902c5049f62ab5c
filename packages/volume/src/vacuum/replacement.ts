import type { Disk, DiskFile, Log } from "@kelp/base";
import { CHECKPOINT_SUFFIX } from "../index/checkpoint-format.ts";
import type { Superblock } from "../superblock/superblock.ts";
import {
  type CommitOutcome,
  type CompactionPaths,
  commitCompaction,
  compactionPaths,
  dropNewFiles,
  settleCompaction,
} from "./compaction-files.ts";

/**
 * The new files that are to take the place of a volume's, from preparing to the commit. Disposed of, they are removed, unless a
 * restart may take them: then neither pair may be.
 */
export class Replacement implements AsyncDisposable {
  readonly paths: CompactionPaths;
  /** Of the old files and of the new ones: never of both at once. */
  readonly checkpointPath: string;
  /** Of the new volume file. */
  readonly compactionRevision: number;
  readonly #disk: Disk;
  readonly #log: Log;
  #isInDoubt = false;

  /** `superblock`: of the old volume file. `base`: the path of the volume's files without their extension. */
  constructor(
    superblock: Superblock,
    place: { readonly folder: string; readonly base: string },
    deps: { readonly disk: Disk; readonly log: Log },
  ) {
    this.paths = compactionPaths(place.folder, place.base);
    this.checkpointPath = `${place.base}${CHECKPOINT_SUFFIX}`;
    this.compactionRevision = (superblock.compactionRevision + 1) & 0xffff;
    this.#disk = deps.disk;
    this.#log = deps.log;
  }

  /** A commit left behind must be gone for good before a file begins to grow under the name that it puts in place. */
  async prepare(): Promise<void> {
    await settleCompaction(this.#disk, this.paths, this.#log);
    await this.#disk.syncFolder(this.paths.folder);
  }

  createData(): Promise<DiskFile> {
    return this.#create(this.paths.newData);
  }

  createIndex(): Promise<DiskFile> {
    return this.#create(this.paths.newIndex);
  }

  /** Both files must be synced. Throws `DiskError` before anything is changed. */
  async commit(dataBytes: number): Promise<CommitOutcome> {
    // It is of the old files, and would be found out; without it nobody has to.
    if (await this.#disk.exists(this.checkpointPath)) await this.#disk.remove(this.checkpointPath);
    const { compactionRevision } = this;
    const commit = { compactionRevision, dataBytes };
    const outcome = await commitCompaction(this.#disk, this.paths, commit, this.#log);
    this.#isInDoubt = outcome.kind === "old-in-doubt" || outcome.kind === "new-in-doubt";
    return outcome;
  }

  /** A file that cannot be removed is in nobody's way: the next vacuum or opening removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isInDoubt) return;
    try {
      await dropNewFiles(this.#disk, this.paths);
    } catch (error) {
      const { newData: path } = this.paths;
      this.#log.warn("the files of a failed vacuum cannot be removed", { path, error });
    }
  }

  #create(path: string): Promise<DiskFile> {
    return this.#disk.open(path, { access: "read-write", create: true, exclusive: true });
  }
}
