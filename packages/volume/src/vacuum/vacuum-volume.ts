import {
  type Clock,
  type Disk,
  DiskError,
  type DiskFile,
  type Foreground,
  type Log,
} from "@kelp/base";
import type { JobOptions, VacuumReport, VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { CheckpointKeeper } from "../index/checkpoint-keeper.ts";
import { indexEntryBytes } from "../index/index-entry.ts";
import { IndexFile } from "../index/index-file.ts";
import {
  VACUUM_BYTES_PER_SEC_DEFAULT,
  VACUUM_CATCH_UP_BYTES,
  VACUUM_PASSES_MAX,
} from "../limits.ts";
import { SUPERBLOCK_BYTES } from "../superblock/superblock.ts";
import { type VolumeFiles, readFirstDate } from "../volume/open-files.ts";
import type { Exchange, VolumeContent } from "../volume/volume-content.ts";
import type { CompactionPaths } from "./compaction-files.ts";
import { CopyAllowance } from "./copy-allowance.ts";
import { EntryWriter } from "./entry-writer.ts";
import { Pace } from "../pace/pace.ts";
import { RecordCopier } from "./record-copier.ts";
import { Replacement } from "./replacement.ts";
import type { Checksums } from "../needle/decode.ts";

/** What vacuuming needs of a volume. */
export interface CompactableVolume {
  readonly id: VolumeId;
  /** As it is at the moment of asking. */
  readonly content: VolumeContent;
  /** See `Volume.exchangeFiles`. */
  exchangeFiles(work: (content: VolumeContent) => Promise<Exchange>): Promise<void>;
}

export interface VacuumDeps {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly hashes: Checksums;
  readonly log: Log;
  /** Whom the job gives way to. */
  readonly foreground?: Pick<Foreground, "load"> | undefined;
}

/**
 * Copies what lives into new files and puts them in the place of the old ones, while reads and changes go on. Whatever fails
 * before the commit leaves the old files, which nothing has touched. One vacuum of a volume at a time.
 *
 * 1. The space is there: what lives, and `VACUUM_SPARE_BYTES`; looked at again while copying.
 * 2. Live needles are copied in file order, each verified; then, pass by pass, what changed meanwhile. The copy is read back.
 *    What is damaged is copied as it is, and told in `damaged` with its new place.
 * 3. The volume's writer pauses. The last changes (about `VACUUM_CATCH_UP_BYTES`) are copied and read back, the counts
 *    compared, the files synced and committed (see `compaction-files.ts`).
 *
 * Throws `needle-corrupt` when damage is such that it may be the index which is wrong (nothing is dropped silently),
 * `out-of-space`, `read-failed`, `volume-failed`, `overloaded` when changes come faster than they can be copied, or the signal's reason.
 */
export async function vacuumVolume(
  volume: CompactableVolume,
  place: { readonly folder: string; readonly base: string },
  deps: VacuumDeps,
  options: JobOptions = {},
): Promise<VacuumReport> {
  const replacement = new Replacement(volume.content.superblock, place, deps);
  try {
    options.signal?.throwIfAborted();
    await replacement.prepare();
    return await new Vacuum(volume, replacement, deps, options).run();
  } catch (error) {
    throw vacuumFailed(replacement.paths, error);
  }
}

interface NewFiles {
  readonly data: DiskFile;
  readonly index: DiskFile;
  readonly copier: RecordCopier;
  readonly entries: EntryWriter;
}

class Vacuum {
  readonly #volume: CompactableVolume;
  readonly #replacement: Replacement;
  readonly #deps: VacuumDeps;
  readonly #source: VolumeContent;
  readonly #signal: AbortSignal | undefined;
  readonly #allowance: CopyAllowance;
  /** Changes of the old files before are copied. */
  #copiedTo = 0;
  /** First bytes of the new volume file. */
  #superblock = new Uint8Array(0);

  constructor(
    volume: CompactableVolume,
    replacement: Replacement,
    deps: VacuumDeps,
    options: JobOptions,
  ) {
    this.#volume = volume;
    this.#replacement = replacement;
    this.#deps = deps;
    this.#source = volume.content;
    this.#signal = options.signal;
    const bytesPerSec = options.bytesPerSec ?? VACUUM_BYTES_PER_SEC_DEFAULT;
    this.#allowance = new CopyAllowance({
      disk: deps.disk,
      paths: replacement.paths,
      pace: new Pace(deps, { bytesPerSec, signal: options.signal }),
      wantedBytes: () => {
        const { index } = volume.content;
        return index.liveBytes + index.liveCount * indexEntryBytes(index.offsetWidth);
      },
    });
  }

  async run(): Promise<VacuumReport> {
    await this.#allowance.requireSpace();
    await using opened = new AsyncDisposableStack();
    const { indexFile } = this.#source;
    opened.defer(() => indexFile.resumeCheckpoint());
    await indexFile.suspendCheckpoint();
    opened.use(this.#replacement);
    const data = opened.use(await this.#replacement.createData());
    const index = opened.use(await this.#replacement.createIndex());
    const copied = await this.#copy(data, index);
    let failure: Error | undefined;
    await this.#volume.exchangeFiles(async (content) => {
      const exchange = await this.#finish(content, copied);
      if (exchange.kind !== "exchange") failure = this.#inDoubt(exchange.cause);
      // The volume has the files now.
      if (exchange.kind !== "keep-and-fail") opened.move();
      return exchange;
    });
    if (failure !== undefined) throw failure;
    const { copier } = copied;
    return {
      bytesBefore: this.#source.endBytes,
      bytesAfter: copier.endBytes,
      liveCount: copier.index.liveCount,
      damaged: copier.damagedOf(this.#volume.id),
    };
  }

  /** All but the last changes, durable and read back. */
  async #copy(data: DiskFile, index: DiskFile): Promise<NewFiles> {
    const { hashes } = this.#deps;
    const startBytes = await this.#copySuperblock(data);
    const entries = new EntryWriter(index, this.#source.index.offsetWidth, hashes);
    const copier = new RecordCopier(
      this.#source,
      { data, entries, startBytes },
      hashes,
      this.#allowance,
    );
    // What comes from now on stands behind.
    const { endBytes: startedBytes } = this.#volume.content;
    await copier.copyLive(startedBytes, () => this.#deps.clock.sleep(0));
    this.#copiedTo = startedBytes;
    for (let pass = 0; ; pass++) {
      const { endBytes } = this.#volume.content;
      await copier.copyChanges(this.#copiedTo, endBytes);
      this.#copiedTo = endBytes;
      await copier.check();
      await copier.sync();
      if (this.#volume.content.endBytes - endBytes <= VACUUM_CATCH_UP_BYTES) break;
      if (pass === VACUUM_PASSES_MAX) throw this.#error("overloaded", "it changes too fast");
      this.#hurry();
    }
    return { data, index, copier, entries };
  }

  /** As it is, extra field included, but for the revision. */
  async #copySuperblock(data: DiskFile): Promise<number> {
    const { superblock } = this.#source;
    const head = Buffer.alloc(SUPERBLOCK_BYTES + superblock.extraBytes);
    const count = await this.#source.data.readAt(head, 0);
    if (count !== head.length) throw this.#error("read-failed", "its superblock cannot be read");
    head.writeUInt16BE(this.#replacement.compactionRevision, 4);
    this.#superblock = head.subarray(0, SUPERBLOCK_BYTES);
    await data.writeAt([head], 0);
    return head.length;
  }

  /** While nothing changes: the rest, the comparison, the commit. */
  async #finish(content: VolumeContent, files: NewFiles): Promise<Exchange> {
    const { data, copier } = files;
    this.#hurry();
    await copier.copyChanges(this.#copiedTo, content.endBytes);
    await copier.keepHighestId();
    await copier.check();
    this.#compare(content, copier);
    await copier.sync();
    const firstDateNs = await readFirstDate(data, copier.startBytes, copier.endBytes);
    this.#signal?.throwIfAborted();
    const outcome = await this.#replacement.commit(copier.endBytes);
    if (outcome.kind === "undone") throw outcome.cause;
    if (outcome.kind === "old-in-doubt") return { kind: "keep-and-fail", cause: outcome.cause };
    const newFiles = this.#volumeFiles(files, content, firstDateNs);
    return outcome.kind === "done"
      ? { kind: "exchange", files: newFiles }
      : { kind: "exchange-and-fail", files: newFiles, cause: outcome.cause };
  }

  #compare(content: VolumeContent, copier: RecordCopier): void {
    const missing = content.index.liveCount - copier.index.liveCount;
    if (missing === 0 && content.index.liveBytes === copier.index.liveBytes) return;
    throw this.#error(
      "needle-corrupt",
      `${missing} live needles are not where the index says; scrub it`,
    );
  }

  #volumeFiles(
    { data, index, copier, entries }: NewFiles,
    content: VolumeContent,
    firstDateNs: bigint | undefined,
  ): VolumeFiles {
    const { endBytes } = entries;
    const { log } = this.#deps;
    const indexFile = new IndexFile({ file: index, endBytes, index: copier.index, log });
    const entryCount = endBytes / indexEntryBytes(copier.index.offsetWidth);
    const keeper = new CheckpointKeeper(
      {
        ...this.#deps,
        path: this.#replacement.checkpointPath,
        folder: this.#replacement.paths.folder,
        index: copier.index,
        dataFile: data,
        superblock: this.#superblock,
      },
      entryCount,
    );
    indexFile.keepCheckpoint(keeper, copier.lastRecord);
    return {
      data,
      superblock: {
        ...content.superblock,
        compactionRevision: this.#replacement.compactionRevision,
      },
      index: copier.index,
      indexFile,
      endBytes: copier.endBytes,
      firstDateNs,
      // The writer knows a later one.
      lastDateNs: undefined,
      damagedCount: 0,
      info: content.info,
    };
  }

  /** For what has to become small in the end, whatever others do. */
  #hurry(): void {
    const bytesPerSec = Number.POSITIVE_INFINITY;
    this.#allowance.pace = new Pace(this.#deps, {
      bytesPerSec,
      signal: this.#signal,
      rests: "short",
    });
  }

  #inDoubt(cause: unknown): VolumeError {
    return new VolumeError(
      "volume-failed",
      `Cannot vacuum ${this.#replacement.paths.data}: the new files could not be put in place for sure`,
      { cause },
    );
  }

  #error(code: "overloaded" | "needle-corrupt" | "read-failed", found: string) {
    return new VolumeError(code, `Cannot vacuum ${this.#replacement.paths.data}: ${found}`);
  }
}

/** What a caller is told of a disk that refused. */
export function vacuumFailed(paths: Pick<CompactionPaths, "data">, error: unknown): unknown {
  if (!(error instanceof DiskError)) return error;
  const code = error.isOutOfSpace ? "out-of-space" : "volume-failed";
  return new VolumeError(code, `Cannot vacuum ${paths.data}: ${error.code}`, { cause: error });
}
