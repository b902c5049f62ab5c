import { type Clock, type DiskFile, assert } from "@kelp/base";
import { type JobOptions, type VacuumReport, needleId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { liveInFileOrder } from "../index/file-order.ts";
import { indexEntryBytes } from "../index/index-entry.ts";
import { NeedleIndex } from "../index/needle-index.ts";
import { VACUUM_BYTES_PER_SEC_DEFAULT, volumeFileBytesMax } from "../limits.ts";
import { asVersion3 } from "../needle/as-version-3.ts";
import { readHeader } from "../needle/decode.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { recordBytesOf } from "../needle/layout.ts";
import { openRecord } from "../needle/stored-needle.ts";
import { SUPERBLOCK_BYTES, VERSION, encodeSuperblock } from "../superblock/superblock.ts";
import type { OldVolume } from "../volume/old-volume.ts";
import { readVolumeInfo, writeVolumeInfo } from "../volume/volume-info.ts";
import { CopyAllowance } from "./copy-allowance.ts";
import { EntryWriter } from "./entry-writer.ts";
import { Pace } from "../pace/pace.ts";
import { type ExpectedNeedle, expectedAt } from "./expected-needle.ts";
import { RecordCopier } from "./record-copier.ts";
import { Replacement } from "./replacement.ts";
import { type VacuumDeps, vacuumFailed } from "./vacuum-volume.ts";

/** What a record can grow by in becoming one of version 3: a date, the size of the data, flags, rounded up. */
const GROWTH_BYTES_MAX = 24;

/**
 * Makes the files of a volume of version 1 or 2 anew as those of version 3, with what lives in it, and puts them in the place of
 * the old ones as a vacuum does (see `compaction-files.ts`). The volume is never changed meanwhile; it goes on with the old files,
 * and whoever calls this opens the new ones. Whatever fails before the commit leaves the old files.
 *
 * A record gets as its date that of its needle's last modification, or now where that is unknown, and never one before that of the
 * record in front of it: dates of a volume rise, and no lifetime ends earlier than it would have.
 *
 * Throws as `vacuumVolume`; `needle-corrupt` too when the header of a record does not fit, since its extent is not sure then;
 * `volume-full` when the records have no room under the offsets of the index any more.
 */
export async function rewriteOldVolume(
  volume: OldVolume,
  place: { readonly folder: string; readonly base: string },
  deps: VacuumDeps,
  options: JobOptions = {},
): Promise<VacuumReport> {
  const replacement = new Replacement(volume.content.superblock, place, deps);
  try {
    options.signal?.throwIfAborted();
    await replacement.prepare();
    const report = await new Rewrite(volume, replacement, deps, options).run();
    await noteVersion(deps, place.base);
    return report;
  } catch (error) {
    throw vacuumFailed(replacement.paths, error);
  }
}

class Rewrite {
  readonly #volume: OldVolume;
  readonly #replacement: Replacement;
  readonly #deps: VacuumDeps;
  readonly #allowance: CopyAllowance;
  readonly #dates: RisingDates;

  constructor(volume: OldVolume, replacement: Replacement, deps: VacuumDeps, options: JobOptions) {
    this.#volume = volume;
    this.#replacement = replacement;
    this.#deps = deps;
    const bytesPerSec = options.bytesPerSec ?? VACUUM_BYTES_PER_SEC_DEFAULT;
    this.#allowance = new CopyAllowance({
      disk: deps.disk,
      paths: replacement.paths,
      pace: new Pace(deps, { bytesPerSec, signal: options.signal }),
      wantedBytes: () => {
        const { index } = volume.content;
        const growthBytes = GROWTH_BYTES_MAX + indexEntryBytes(index.offsetWidth);
        return index.liveBytes + index.liveCount * growthBytes;
      },
    });
    this.#dates = new RisingDates(deps.clock);
  }

  async run(): Promise<VacuumReport> {
    await this.#allowance.requireSpace();
    await using opened = new AsyncDisposableStack();
    opened.use(this.#replacement);
    const data = opened.use(await this.#replacement.createData());
    const index = opened.use(await this.#replacement.createIndex());
    const copier = await this.#copy(data, index);
    await this.#commit(copier.endBytes);
    return {
      bytesBefore: this.#volume.content.endBytes,
      bytesAfter: copier.endBytes,
      liveCount: copier.index.liveCount,
      damaged: copier.damagedOf(this.#volume.id),
    };
  }

  /** Durable and read back. */
  async #copy(data: DiskFile, indexFile: DiskFile): Promise<RecordCopier> {
    const { index, endBytes } = this.#volume.content;
    const { hashes, clock } = this.#deps;
    const startBytes = await this.#writeSuperblock(data);
    const entries = new EntryWriter(indexFile, index.offsetWidth, hashes);
    const target = {
      data,
      entries,
      startBytes,
      index: new NeedleIndex({ offsetWidth: index.offsetWidth }),
    };
    const copier = new RecordCopier(this.#volume.content, target, hashes, this.#allowance);
    const batches = liveInFileOrder(index, { endBytes, pause: () => clock.sleep(0) });
    for await (const batch of batches) {
      for (let at = 0; at < batch.count; at++) await this.#rewrite(copier, expectedAt(batch, at));
    }
    await copier.keepHighestId();
    await copier.check();
    assert(copier.index.liveCount === index.liveCount, "all that lives is in the new volume");
    await copier.sync();
    await indexFile.sync();
    return copier;
  }

  async #rewrite(copier: RecordCopier, needle: ExpectedNeedle): Promise<void> {
    const { content, id: volumeId } = this.#volume;
    const { version } = content.superblock;
    const { offsetBytes, bodyBytes } = needle;
    const record = Buffer.allocUnsafeSlow(recordBytesOf(bodyBytes, version));
    const count = await content.data.readAt(record, offsetBytes);
    if (count !== record.length) throw this.#error("needle-corrupt", "the volume file ends early");
    await this.#allowance.spend(record.length);
    const header = readHeader(record, 0);
    const id = needleId(joinIdHalves(needle.idHigh, needle.idLow));
    if (joinIdHalves(header.idHigh, header.idLow) !== id || header.bodyBytes !== bodyBytes) {
      const what = `needle ${id.toString(16)} at ${offsetBytes}`;
      throw this.#error("needle-corrupt", `${what} is damaged: another record stands there`);
    }
    let modifiedSec: number | undefined;
    let damage: string | undefined;
    try {
      const fid = { volumeId, needleId: id, cookie: header.cookie };
      const opened = openRecord(fid, { record, bodyBytes, version }, this.#deps.hashes);
      modifiedSec = opened?.lastModifiedSec;
    } catch (error) {
      if (!(error instanceof VolumeError && error.code === "needle-corrupt")) throw error;
      damage = error.message;
    }
    const dateNs = this.#dates.next(modifiedSec);
    const made = asVersion3(record, { version, bodyBytes, dateNs });
    const sizeBytesMax = volumeFileBytesMax(content.index.offsetWidth);
    if (copier.endBytes + made.record.length > sizeBytesMax) {
      throw this.#error("volume-full", `its records of version ${VERSION} fit in no volume`);
    }
    await copier.add(made.record, { ...needle, bodyBytes: made.bodyBytes }, damage);
  }

  /** As it is, extra field included, but for version and revision. */
  async #writeSuperblock(data: DiskFile): Promise<number> {
    const { superblock, data: source } = this.#volume.content;
    const { compactionRevision } = this.#replacement;
    const head = Buffer.alloc(SUPERBLOCK_BYTES + superblock.extraBytes);
    const count = await source.readAt(head, 0);
    if (count !== head.length) throw this.#error("read-failed", "its superblock cannot be read");
    head.set(encodeSuperblock({ ...superblock, version: VERSION, compactionRevision }));
    await data.writeAt([head], 0);
    return head.length;
  }

  async #commit(dataBytes: number): Promise<void> {
    const outcome = await this.#replacement.commit(dataBytes);
    if (outcome.kind === "done") return;
    if (outcome.kind === "undone") throw outcome.cause;
    // Either pair of files may be found by the next opening, with the same needles: nothing is added to any of them until then.
    throw this.#error("volume-failed", "the new files could not be put in place for sure");
  }

  #error(
    code: "needle-corrupt" | "read-failed" | "volume-failed" | "volume-full",
    found: string,
  ): VolumeError {
    return new VolumeError(code, `Cannot vacuum ${this.#replacement.paths.data}: ${found}`);
  }
}

/** Dates for records that have none. */
class RisingDates {
  readonly #clock: Pick<Clock, "nowNs">;
  #lastNs = 0n;

  constructor(clock: Pick<Clock, "nowNs">) {
    this.#clock = clock;
  }

  /** `modifiedSec` may be anything: a client said it. */
  next(modifiedSec: number | undefined): bigint {
    const nowNs = this.#clock.nowNs();
    const wantedNs = modifiedSec === undefined ? nowNs : BigInt(modifiedSec) * 1_000_000_000n;
    const dateNs = wantedNs < nowNs ? wantedNs : nowNs;
    this.#lastNs = dateNs > this.#lastNs ? dateNs : this.#lastNs + 1n;
    return this.#lastNs;
  }
}

/** Where an information file says of which version the volume is. It is no more than a word: the superblock decides. */
async function noteVersion({ disk, log }: VacuumDeps, base: string): Promise<void> {
  try {
    const info = await readVolumeInfo(disk, base);
    const said = info.raw["version"];
    if (said !== undefined && said !== VERSION) {
      await writeVolumeInfo(disk, base, info, { version: VERSION });
    }
  } catch (error) {
    log.warn("an information file goes on naming an older version", { path: `${base}.vif`, error });
  }
}
