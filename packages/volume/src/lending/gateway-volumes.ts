import { type CallHandlers, type CallPeer, DiskError } from "@kelp/base";
import type { Fid, VolumeClient, VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { FOLLOWED_VOLUMES_MAX, FOLLOW_MISSES_MAX } from "../limits.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import { BorrowedVolumes } from "./borrowed-volumes.ts";
import { FollowedVolume } from "./followed-volume.ts";
import {
  APPEND_CALL,
  type FollowPlace,
  PLACE_CALL,
  READ_CALL,
  REMOVE_CALL,
  volumeErrorOf,
} from "./lending-calls.ts";

interface Followed {
  readonly opening: Promise<FollowedVolume | undefined>;
  volume: FollowedVolume | undefined;
  missCount: number;
}

/**
 * Volumes as a gateway sees them. It appends to those that it borrowed, reads the plain ones from their files, and has
 * everything else done by the process that owns them, which is asked as well when something is not found or does not fit.
 */
export class GatewayVolumes implements Pick<VolumeClient, "append" | "read" | "remove"> {
  readonly #deps: VolumeDeps;
  readonly #owner: CallPeer;
  readonly #borrowed: BorrowedVolumes;
  readonly #followed = new Map<VolumeId, Followed>();

  constructor(deps: VolumeDeps, owner: CallPeer) {
    this.#deps = deps;
    this.#owner = owner;
    this.#borrowed = new BorrowedVolumes(deps, owner);
  }

  /** What the owner has this process do. */
  get handlers(): CallHandlers {
    return this.#borrowed.handlers;
  }

  /** A volume here that takes needles of the collection; `undefined` when there is none. */
  pick(collection: string): VolumeId | undefined {
    return this.#borrowed.pick(collection);
  }

  /** Asks the owner for a volume that `pick` gives then. Throws why there is none. */
  borrow(collection: string): Promise<void> {
    return this.#borrowed.borrow(collection);
  }

  async append(fid: Fid, data: Uint8Array): Promise<void> {
    const volume = this.#borrowed.find(fid.volumeId);
    if (volume === undefined) {
      await this.#ask(APPEND_CALL, [fid, data]);
      return;
    }
    await this.#borrowed.admit(fid.volumeId, data.length);
    try {
      await volume.append(fid, data);
    } catch (error) {
      // It went back while this waited: nothing was stored, and another volume is assigned.
      if (!isClosed(error)) throw error;
      throw new VolumeError(
        "volume-full",
        `Cannot append to volume ${fid.volumeId}: it went back`,
        {
          cause: error,
        },
      );
    }
  }

  async read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined> {
    const own = this.#borrowed.find(fid.volumeId);
    if (own !== undefined) {
      try {
        return await own.read(fid, scratch, hash64);
      } catch (error) {
        if (!isClosed(error)) throw error;
      }
    }
    const followed = await this.#follow(fid.volumeId);
    const found = followed && (await this.#readFollowed(followed, fid, { scratch, hash64 }));
    if (found !== undefined) return found;
    const data = (await this.#ask(READ_CALL, [fid, hash64])) as Uint8Array | undefined;
    if (data !== undefined && followed !== undefined) this.#countMiss(fid.volumeId);
    return data;
  }

  async remove(fids: readonly Fid[]): Promise<void> {
    const others: Fid[] = [];
    const removals: Promise<void>[] = [];
    for (const fid of fids) {
      const volume = this.#borrowed.find(fid.volumeId);
      if (volume === undefined) others.push(fid);
      else
        removals.push(volume.remove(fid).catch((error: unknown) => this.#removeLate(fid, error)));
    }
    if (others.length > 0) removals.push(this.#ask(REMOVE_CALL, others).then(() => undefined));
    const results = await Promise.allSettled(removals);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** Opens anew what a vacuum has replaced and closes what can be read so no more. To be called now and then. */
  async refresh(): Promise<void> {
    for (const [id, { volume }] of this.#followed) {
      const place = (await this.#ask(PLACE_CALL, id)) as FollowPlace | undefined;
      const isSame = place !== undefined && volume?.compactionRevision === place.compactionRevision;
      if (!isSame) await this.#drop(id);
    }
  }

  /** Gives back what was borrowed and closes what is read. */
  async close(): Promise<void> {
    await this.#borrowed.returnAll();
    await Promise.all([...this.#followed.keys()].map((id) => this.#drop(id)));
  }

  async #removeLate(fid: Fid, error: unknown): Promise<void> {
    if (!isClosed(error)) throw error;
    await this.#ask(REMOVE_CALL, [fid]);
  }

  async #readFollowed(
    followed: FollowedVolume,
    fid: Fid,
    options: { readonly scratch: Uint8Array | undefined; readonly hash64: bigint | undefined },
  ): Promise<Uint8Array | undefined> {
    try {
      return await followed.read(fid, options.scratch, options.hash64);
    } catch (error) {
      const isDamage = error instanceof VolumeError || error instanceof DiskError;
      if (!isDamage) throw error;
      // The file may have been repaired or exchanged under this reader: the owner tells what is true.
      this.#deps.log.warn("a followed volume is opened anew", { volume_id: fid.volumeId, error });
      await this.#drop(fid.volumeId);
      return undefined;
    }
  }

  #follow(id: VolumeId): FollowedVolume | Promise<FollowedVolume | undefined> | undefined {
    let followed = this.#followed.get(id);
    if (followed === undefined) {
      if (this.#followed.size >= FOLLOWED_VOLUMES_MAX) return undefined;
      const opened: Followed = { opening: this.#open(id), volume: undefined, missCount: 0 };
      this.#remember(id, opened).catch(() => this.#followed.delete(id));
      this.#followed.set(id, opened);
      followed = opened;
    }
    return followed.volume ?? followed.opening;
  }

  /** From now on it is there without waiting. */
  async #remember(id: VolumeId, followed: Followed): Promise<void> {
    const volume = await followed.opening;
    if (this.#followed.get(id) === followed) followed.volume = volume;
  }

  /** `undefined`: only its owner can read it. */
  async #open(id: VolumeId): Promise<FollowedVolume | undefined> {
    const place = (await this.#ask(PLACE_CALL, id)) as FollowPlace | undefined;
    if (place === undefined) return undefined;
    try {
      return await FollowedVolume.open(this.#deps, place);
    } catch (error) {
      if (!(error instanceof VolumeError || error instanceof DiskError)) throw error;
      this.#deps.log.warn("a volume cannot be followed", { volume_id: id, error });
      return undefined;
    }
  }

  #countMiss(id: VolumeId): void {
    const followed = this.#followed.get(id);
    if (followed === undefined || ++followed.missCount < FOLLOW_MISSES_MAX) return;
    this.#drop(id).catch((error: unknown) => {
      this.#deps.log.warn("a followed volume could not be closed", { volume_id: id, error });
    });
  }

  async #drop(id: VolumeId): Promise<void> {
    const followed = this.#followed.get(id);
    this.#followed.delete(id);
    const volume = await followed?.opening;
    await volume?.close();
  }

  async #ask(name: string, argument: unknown): Promise<unknown> {
    try {
      return await this.#owner.call(name, argument);
    } catch (error) {
      throw volumeErrorOf(error);
    }
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof VolumeError && error.code === "closed";
}
