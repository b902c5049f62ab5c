import { DiskError, assert } from "@kelp/base";
import type { Damage, ErasureShape, JobOptions, ScrubReport, VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { decodeVolume } from "../erasure/decode.ts";
import { encodeVolume } from "../erasure/encode.ts";
import { type FoundErasure, findErasure } from "../erasure/find-shards.ts";
import { erasureContentOf, openErasure } from "../erasure/open-erasure.ts";
import { type BlockSizes, FORMAT_BLOCKS } from "../erasure/layout.ts";
import { areOfAnother } from "../erasure/other-shards.ts";
import {
  SHARD_MISSING,
  checkErasure,
  damagedShard,
  rebuildErasure,
  scrubErasure,
} from "../erasure/scrub-shards.ts";
import { type OpenedErasure, dropLeftovers, settleForms } from "../erasure/settle-forms.ts";
import { SealedVolume } from "../sealed/sealed-volume.ts";
import type { PlainPlace } from "../sealed/job-context.ts";
import { moveFromRemote, moveToRemote, type TierContext } from "../tier/move.ts";
import { type RemoteStores, type RemoteVolumePlace, openRemote } from "../tier/open-remote.ts";
import { settleRemotes } from "../tier/settle-remotes.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import { Volume } from "../volume/volume.ts";
import type { DiskFolder } from "./disk-folder.ts";
import type { VolumeSlot, VolumeTable } from "./volume-table.ts";

/** What the store lends. */
export interface VolumeFormsOptions extends VolumeDeps {
  readonly table: VolumeTable;
  readonly disks: readonly DiskFolder[];
  readonly remotes: RemoteStores;
  readonly shardBlocks?: BlockSizes | undefined;
  readonly openPlain: (place: PlainPlace) => Promise<ServedVolume>;
  readonly announce: (id: VolumeId, volume: ServedVolume) => void;
  /** What is listed as damaged of a volume. */
  readonly damaged: (id: VolumeId) => readonly Damage[];
  /** Forgets damage of a volume that `isThere` says is no more. */
  readonly settleDamage: (id: VolumeId, isThere: (damage: Damage) => boolean) => Promise<void>;
  readonly job: <Value>(
    id: VolumeId,
    name: string,
    options: JobOptions,
    work: (slot: VolumeSlot, signal: AbortSignal) => Promise<Value>,
  ) => Promise<Value>;
}

/** A volume of another form than the plain one, as it was found in the folders. */
export type FoundForm =
  | OpenedErasure
  | (RemoteVolumePlace & ({ readonly volume: SealedVolume } | { readonly cause: unknown }));

/** Volumes as shards, and volumes whose file lives elsewhere: opening them, and the jobs that make one form of another. */
export class VolumeForms {
  readonly #options: VolumeFormsOptions;
  readonly #context: TierContext;
  #leftovers: readonly FoundErasure[] = [];

  constructor(options: VolumeFormsOptions) {
    this.#options = options;
    const { table, disks, remotes, openPlain, announce } = options;
    const blocks = options.shardBlocks ?? FORMAT_BLOCKS;
    this.#context = { deps: options, table, disks, remotes, openPlain, announce, blocks };
  }

  encode(id: VolumeId, options: JobOptions & ErasureShape = {}): Promise<void> {
    return this.#options.job(id, "encode", options, async (slot, signal) => {
      await encodeVolume(this.#context, id, slot, { ...options, signal });
      // Every needle was read and written anew.
      await this.#options.settleDamage(id, () => false);
    });
  }

  decode(id: VolumeId, options: JobOptions = {}): Promise<void> {
    return this.#options.job(id, "decode", options, async (slot, signal) => {
      await decodeVolume(this.#context, id, slot, { ...options, signal });
      await this.#options.settleDamage(id, () => false);
    });
  }

  rebuild(id: VolumeId, options: JobOptions = {}): Promise<readonly number[]> {
    return this.#options.job(id, "rebuild", options, async (slot, signal) => {
      const rebuilt = await rebuildErasure(this.#context, id, slot, { ...options, signal });
      await this.#options.settleDamage(id, ({ what }) => {
        const shard = damagedShard(what);
        return shard === undefined || !rebuilt.includes(shard);
      });
      return rebuilt;
    });
  }

  /** Reads all shards against their checksums without changing anything; what is damaged or missing. Throws `wrong-form`. */
  check(id: VolumeId, options: JobOptions = {}): Promise<readonly Damage[]> {
    return this.#options.job(id, "check", options, ({ volume }, signal) =>
      checkErasure(this.#context, id, volume, { ...options, signal }),
    );
  }

  upload(id: VolumeId, options: JobOptions & { readonly backend: string }): Promise<void> {
    return this.#options.job(id, "upload", options, (slot, signal) =>
      moveToRemote(this.#context, id, slot, { ...options, signal }),
    );
  }

  download(id: VolumeId, options: JobOptions = {}): Promise<void> {
    return this.#options.job(id, "download", options, (slot, signal) =>
      moveFromRemote(this.#context, id, slot, { ...options, signal }),
    );
  }

  /** A scrub of shards, for whoever has the volume's job; `undefined` when the volume is none of shards. */
  async scrub(
    id: VolumeId,
    slot: VolumeSlot,
    options: JobOptions,
  ): Promise<ScrubReport | undefined> {
    if (erasureContentOf(slot.volume) === undefined) return undefined;
    return scrubErasure(this.#context, id, slot, options);
  }

  /**
   * Decides which form counts of every volume that has files of several, before plain ones are opened, and opens the others.
   * `disks`: those that come into use now. Volumes in use are not touched.
   */
  async open(disks: readonly DiskFolder[]): Promise<FoundForm[]> {
    const { table } = this.#options;
    const isUsed = (id: VolumeId): boolean => isInUse(table.find(id)?.volume);
    const { opened, leftovers } = await settleForms(this.#options, this.#options.disks, {
      isLeftAlone: isUsed,
      blocks: this.#context.blocks,
    });
    this.#leftovers = leftovers;
    for (const each of opened) if ("volume" in each) this.#putAside(each.id, each.volume);
    const found: FoundForm[] = [...opened];
    for (const disk of disks) {
      for (const place of await settleRemotes(this.#options, disk)) {
        if (!isUsed(place.id)) found.push({ ...place, ...(await this.#tryRemote(place)) });
      }
    }
    return found;
  }

  /** After plain volumes are open: shards beside a whole volume file are of no use. */
  async dropLeftovers(): Promise<void> {
    for (const found of this.#leftovers) {
      const volume = this.#options.table.find(found.id)?.volume;
      if (!(volume instanceof Volume) || volume.damagedCount > 0) continue;
      const { disks, log } = this.#options;
      if (await this.#mayBeOfAnother(found, volume)) {
        log.error("shards have the name of a volume and are of another; they are left alone", {
          volume_id: found.id,
          collection: found.collection,
        });
        continue;
      }
      await dropLeftovers(this.#options, disks, found);
    }
    this.#leftovers = [];
  }

  /**
   * Opens shards anew over the folders that can be used now: one came back, or one was lost. `later`: a job has the volume, and
   * would not know of what is removed from another one; `not`: it is none of shards, or cannot be opened.
   */
  async reopen(id: VolumeId): Promise<"reopened" | "later" | "not"> {
    const { table, log } = this.#options;
    const slot = table.find(id);
    if (slot === undefined || erasureContentOf(slot.volume) === undefined) return "not";
    if (slot.job !== undefined) return "later";
    try {
      await table.withJob(id, "open anew", ({ volume }) => this.#reopen(id, volume));
      return "reopened";
    } catch (error) {
      log.error("an erasure-coded volume cannot be opened anew", { volume_id: id, error });
      return "not";
    }
  }

  async #reopen(id: VolumeId, volume: ServedVolume): Promise<void> {
    assert(volume instanceof SealedVolume, "a volume of shards is sealed");
    const { table, disks, disk } = this.#options;
    using _frozen = await volume.freeze("opening its shards anew");
    const { collection } = volume;
    const found = await findErasure(disk, disks, { id, collection });
    const next = await openErasure(this.#options, found, this.#context.blocks);
    this.#putAside(id, next);
    const [home] = erasureContentOf(next)?.folders ?? [];
    await table.exchange(id, next, home?.disk);
    this.#options.announce(id, next);
  }

  /** What scrubbing found damaged in shards, and could not make good, is not trusted after a restart either. */
  #putAside(id: VolumeId, volume: SealedVolume): void {
    const file = erasureContentOf(volume)?.file;
    for (const { what, offsetBytes, reason } of this.#options.damaged(id)) {
      const shard = damagedShard(what);
      if (file === undefined || shard === undefined || reason === SHARD_MISSING) continue;
      file.distrust(shard, offsetBytes, reason);
    }
  }

  async #mayBeOfAnother(found: FoundErasure, volume: Volume): Promise<boolean> {
    try {
      return await areOfAnother(this.#options.disk, found, volume.content.data);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      return true;
    }
  }

  /** Removes what a deleted volume has elsewhere. */
  async removeRemote(volume: ServedVolume): Promise<void> {
    const { form } = volume.status();
    if (form.kind !== "remote") return;
    const blobs = this.#options.remotes.get(form.backend);
    try {
      if (blobs === undefined) throw new VolumeError("no-such-backend", "It is not configured");
      await blobs.remove(form.key);
    } catch (error) {
      const { backend, key } = form;
      this.#options.log.error("the remote file of a deleted volume is left", {
        backend,
        key,
        error,
      });
    }
  }

  async #tryRemote(
    place: RemoteVolumePlace,
  ): Promise<{ readonly volume: SealedVolume } | { readonly cause: unknown }> {
    try {
      return { volume: await openRemote(this.#options, place, this.#options.remotes) };
    } catch (cause) {
      this.#options.log.error("a volume in a remote store cannot be opened", {
        volume_id: place.id,
        collection: place.collection,
        error: cause,
      });
      return { cause };
    }
  }
}

function isInUse(volume: ServedVolume | undefined): boolean {
  return volume !== undefined && volume.state !== "missing";
}
