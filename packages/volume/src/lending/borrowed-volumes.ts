import type { CallHandlers, CallPeer } from "@kelp/base";
import type { VolumeId, VolumeState } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { DiskFolder } from "../store/disk-folder.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import { Volume } from "../volume/volume.ts";
import {
  BORROW_CALL,
  GIVE_BACK_CALL,
  type LentPlace,
  NEEDLE_CALL,
  NOT_BORROWED,
  type NeedleCall,
  RETURNED_CALL,
  STATUS_CALL,
  TAKE_CALL,
} from "./lending-calls.ts";
import { onVolume } from "./lent-volume.ts";

interface Borrowed {
  readonly volume: Volume;
  readonly disk: DiskFolder;
}

/** The volume went back meanwhile: whoever asked asks its owner's copy. */
class NotBorrowed extends Error {
  override readonly name = "NotBorrowed";
  readonly code = NOT_BORROWED;
}

/**
 * The volumes that this process alone appends to, lent by the owner of the folders.
 *
 * Invariant: a volume is open here from when its taking is answered until its giving back is. When the connection to the
 * owner ends this process must end at once: the owner opens the files again when it has.
 */
export class BorrowedVolumes {
  readonly #deps: VolumeDeps;
  readonly #owner: CallPeer;
  readonly #volumes = new Map<VolumeId, Borrowed>();
  readonly #disks = new Map<string, DiskFolder>();
  readonly #closing = new Map<VolumeId, Promise<void>>();
  readonly #returning = new Map<VolumeId, Promise<void>>();
  readonly #borrowing = new Map<string, Promise<void>>();

  constructor(deps: VolumeDeps, owner: CallPeer) {
    this.#deps = deps;
    this.#owner = owner;
  }

  /** What the owner has this process do. */
  readonly handlers: CallHandlers = {
    [TAKE_CALL]: (place) => this.#take(place as LentPlace),
    [GIVE_BACK_CALL]: (id) => this.#close(id as VolumeId),
    [NEEDLE_CALL]: (call) => this.#onNeedle(call as NeedleCall),
    [STATUS_CALL]: (id) => this.#get(id as VolumeId).volume.status(),
  };

  find(id: VolumeId): Volume | undefined {
    return this.#volumes.get(id)?.volume;
  }

  /** One that takes needles of the collection. */
  pick(collection: string): VolumeId | undefined {
    for (const [id, { volume }] of this.#volumes) {
      if (volume.collection === collection && volume.state === "writable") return id;
    }
    return undefined;
  }

  /** Asks the owner for one that `pick` gives then. Throws why there is none. */
  borrow(collection: string): Promise<void> {
    let borrowing = this.#borrowing.get(collection);
    if (borrowing === undefined) {
      borrowing = this.#owner
        .call(BORROW_CALL, collection)
        .then(() => undefined)
        .finally(() => this.#borrowing.delete(collection));
      this.#borrowing.set(collection, borrowing);
    }
    return borrowing;
  }

  /** Measures the disk where that is due. Throws `volume-full` when the volume's disk has no room; it goes back then. */
  async admit(id: VolumeId, bytes: number): Promise<void> {
    const borrowed = this.#volumes.get(id);
    if (borrowed === undefined || borrowed.disk.admit(bytes, this.#deps.clock) === "yes") return;
    const space = await borrowed.disk.space(this.#deps);
    // What does not answer is written to all the same: the write tells what is wrong.
    if (space === undefined || borrowed.disk.admit(bytes, this.#deps.clock) === "yes") return;
    this.#giveBack(id);
    throw new VolumeError("volume-full", `Cannot write to ${borrowed.disk.folder}: it has no room`);
  }

  /** Gives everything back. What is under way is finished first. */
  async returnAll(): Promise<void> {
    await Promise.all(
      Array.from(this.#volumes.keys(), async (id) => {
        this.#giveBack(id);
        await this.#returning.get(id);
      }),
    );
  }

  async #take(place: LentPlace): Promise<void> {
    const { id, collection, folder, disk, diskType, sizeBytesMax, graceBytes } = place;
    const volume = await Volume.open(this.#deps, {
      id,
      collection,
      folder,
      disk,
      diskType,
      sizeBytesMax,
      graceBytes,
      onStateChange: (state) => this.#onState(id, state),
    });
    this.#volumes.set(id, { volume, disk: this.#diskOf(place) });
  }

  /** A volume that takes no needles any more is of no use here. */
  #onState(id: VolumeId, state: VolumeState): void {
    if (state !== "writable") this.#giveBack(id);
  }

  #giveBack(id: VolumeId): void {
    if (!this.#volumes.has(id) || this.#returning.has(id)) return;
    const returning = this.#close(id)
      .then(() => this.#owner.call(RETURNED_CALL, id))
      .then(
        () => undefined,
        // Then the owner is gone, and this process with it.
        (error: unknown) => {
          this.#deps.log.warn("a volume could not be given back", { volume_id: id, error });
        },
      )
      .finally(() => this.#returning.delete(id));
    this.#returning.set(id, returning);
  }

  /** Never rejects: whatever closing met, nothing is written here any more. Harmless when the volume is not here. */
  #close(id: VolumeId): Promise<void> {
    const borrowed = this.#volumes.get(id);
    if (borrowed === undefined) return this.#closing.get(id) ?? Promise.resolve();
    this.#volumes.delete(id);
    const closing = borrowed.volume
      .close()
      .catch((error: unknown) => {
        this.#deps.log.error("a borrowed volume could not be closed in order", {
          volume_id: id,
          error,
        });
      })
      .finally(() => this.#closing.delete(id));
    this.#closing.set(id, closing);
    return closing;
  }

  async #onNeedle(call: NeedleCall): Promise<unknown> {
    const { volume } = this.#get(call.fid.volumeId);
    try {
      return await onVolume(volume, call);
    } catch (error) {
      if (error instanceof VolumeError && error.code === "closed") throw new NotBorrowed("closed");
      throw error;
    }
  }

  #get(id: VolumeId): Borrowed {
    const borrowed = this.#volumes.get(id);
    if (borrowed === undefined) throw new NotBorrowed(`Cannot use volume ${id}: it went back`);
    return borrowed;
  }

  #diskOf({ folder, disk, diskType, freeBytesFloor }: LentPlace): DiskFolder {
    let found = this.#disks.get(folder);
    if (found === undefined) {
      found = new DiskFolder(disk, { path: folder, diskType, freeBytesFloor });
      this.#disks.set(folder, found);
    }
    return found;
  }
}
