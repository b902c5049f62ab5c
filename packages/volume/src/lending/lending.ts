import type { CallPeer, Log } from "@kelp/base";
import type { VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { RETURNED_VOLUMES_KEPT_MAX } from "../limits.ts";
import type { DiskFolder } from "../store/disk-folder.ts";
import type { VolumeSlot, VolumeTable } from "../store/volume-table.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import { Volume, type VolumeOptions } from "../volume/volume.ts";
import { GIVE_BACK_CALL, type LentPlace, TAKE_CALL } from "./lending-calls.ts";
import { LentVolume } from "./lent-volume.ts";

/** Name of the job that a lent volume has. */
export const LENT_JOB = "lend";

/** A process that volumes are lent to. */
export interface Borrower {
  /** For people who look at the volumes. */
  readonly name: string;
  /** Its calls end in bounded time: a process that does not answer is ended. */
  readonly peer: CallPeer;
  /** Resolves when the process is gone, so that none of its writes can come any more. */
  readonly ended: Promise<void>;
}

/** What the store lends. */
export interface LendingOptions {
  readonly table: VolumeTable;
  readonly log: Log;
  /** Runs `work` as the only job of a volume, with a signal that says when the store closes. */
  readonly job: (
    id: VolumeId,
    work: (slot: VolumeSlot, signal: AbortSignal) => Promise<void>,
  ) => Promise<void>;
  readonly volumeOptions: (disk: DiskFolder, id: VolumeId, collection: string) => VolumeOptions;
  /** Opens the volume anew, recovering its tail; one that cannot be opened is unavailable. */
  readonly reopen: (disk: DiskFolder, id: VolumeId, collection: string) => Promise<ServedVolume>;
  readonly announce: (id: VolumeId, volume: ServedVolume) => void;
}

interface Loan {
  readonly borrower: Borrower;
  /** Resolve it to have the volume back without asking: it was given back. */
  readonly returned: PromiseWithResolvers<void>;
  /** Resolve it to ask for the volume. */
  readonly recalled: PromiseWithResolvers<void>;
  /** Resolves when the volume is a plain one again. */
  done: Promise<void>;
}

/**
 * Lends volumes to other processes, which then alone append to them.
 *
 * Invariant: a volume is opened here again only when the borrower has said that it closed it, or has ended.
 */
export class Lending {
  readonly #options: LendingOptions;
  readonly #loans = new Map<VolumeId, Loan>();
  /** The last ones of each borrower, newest last. */
  readonly #returned = new WeakMap<Borrower, readonly VolumeId[]>();

  constructor(options: LendingOptions) {
    this.#options = options;
  }

  /**
   * Closes the volume here and has the borrower open it; resolves when it has. Throws `job-running`, `read-only` or `wrong-form`
   * when it is not one to lend, and what the borrower's opening threw.
   */
  async lend(id: VolumeId, borrower: Borrower): Promise<void> {
    const loan: Loan = {
      borrower,
      returned: Promise.withResolvers(),
      recalled: Promise.withResolvers(),
      done: Promise.resolve(),
    };
    const taken = Promise.withResolvers<void>();
    const done = this.#options.job(id, async (slot, signal) => {
      this.#loans.set(id, loan);
      try {
        await this.#hold(id, slot, loan, signal, taken);
      } finally {
        this.#loans.delete(id);
        this.#noteReturned(id, borrower);
      }
    });
    // Told to whoever waits for the taking; after that it is a matter of the log.
    loan.done = done.then(
      () => taken.reject(new VolumeError("job-running", `Cannot lend volume ${id}: it is back`)),
      (error: unknown) => {
        taken.reject(error);
        // Gateways ask again and again: that a volume is not to be lent at the moment is no news.
        if (isNotToLend(error)) return;
        this.#options.log.warn("a loan of a volume ended with a failure", { volume_id: id, error });
      },
    );
    await taken.promise;
  }

  /** Has a lent volume back; resolves at once when it is not lent. */
  async recall(id: VolumeId): Promise<void> {
    const loan = this.#loans.get(id);
    if (loan === undefined) return;
    loan.recalled.resolve();
    await loan.done;
  }

  /** What a process has on loan. */
  lentTo(borrower: Borrower): VolumeId[] {
    return [...this.#loans].flatMap(([id, loan]) => (loan.borrower === borrower ? [id] : []));
  }

  /** Where a process may have left needles that nothing names: what it has on loan, and the `RETURNED_VOLUMES_KEPT_MAX` that it gave back last. */
  heldBy(borrower: Borrower): VolumeId[] {
    return [...new Set([...this.lentTo(borrower), ...(this.#returned.get(borrower) ?? [])])];
  }

  /** The borrower has closed the volume. */
  returned(id: VolumeId, borrower: Borrower): void {
    const loan = this.#loans.get(id);
    if (loan?.borrower === borrower) loan.returned.resolve();
  }

  #noteReturned(id: VolumeId, borrower: Borrower): void {
    const others = (this.#returned.get(borrower) ?? []).filter((each) => each !== id);
    this.#returned.set(borrower, [...others, id].slice(-RETURNED_VOLUMES_KEPT_MAX));
  }

  async #hold(
    id: VolumeId,
    slot: VolumeSlot,
    loan: Loan,
    signal: AbortSignal,
    taken: PromiseWithResolvers<void>,
  ): Promise<void> {
    const { table, announce } = this.#options;
    const { volume, disk } = slot;
    refuseUnfit(id, volume);
    const { name, peer, ended } = loan.borrower;
    const lent = new LentVolume({
      holder: name,
      peer,
      known: volume.status(),
      recall: () => this.recall(id),
    });
    const { collection } = volume;
    const closed = table.exchange(id, lent);
    announce(id, lent);
    try {
      await closed;
      await peer.call(TAKE_CALL, placeOf(this.#options.volumeOptions(disk, id, collection), disk));
      lent.held();
      taken.resolve();
      await untilAsked(loan, signal);
    } catch (error) {
      taken.reject(error);
    }
    await haveBack(id, loan, ended);
    await this.#takeBack(id, lent, disk);
  }

  async #takeBack(id: VolumeId, lent: LentVolume, disk: DiskFolder): Promise<void> {
    const { table, announce, reopen } = this.#options;
    const current = table.find(id)?.volume;
    if (current !== lent) {
      // Its disk failed meanwhile, and something else stands for it.
      if (current !== undefined) lent.comeBackAs(current);
      return;
    }
    const next = await reopen(disk, id, lent.collection);
    lent.comeBackAs(next);
    if (table.find(id)?.volume !== lent) {
      await next.close();
      return;
    }
    table.cover(id, next);
    announce(id, next);
  }
}

/** Resolves when the volume was given back, is asked for, or its borrower is gone. */
async function untilAsked(loan: Loan, signal: AbortSignal): Promise<void> {
  const { returned, recalled, borrower } = loan;
  const onStop = (): void => recalled.resolve();
  if (signal.aborted) onStop();
  signal.addEventListener("abort", onStop, { once: true });
  await Promise.race([returned.promise, recalled.promise, borrower.peer.closed]);
  signal.removeEventListener("abort", onStop);
}

/** Whoever neither answers nor has ended is waited for: two must never write one file. */
async function haveBack(id: VolumeId, loan: Loan, ended: Promise<void>): Promise<void> {
  const asked = loan.borrower.peer.call(GIVE_BACK_CALL, id).then(
    () => undefined,
    () => ended,
  );
  await Promise.race([loan.returned.promise, asked, ended]);
}

const NOT_TO_LEND: ReadonlySet<string> = new Set(["job-running", "read-only", "wrong-form"]);

/** Whether the volume is not one to lend, at the moment or at all, rather than that something failed. */
export function isNotToLend(error: unknown): boolean {
  return error instanceof VolumeError && NOT_TO_LEND.has(error.code);
}

function refuseUnfit(id: VolumeId, volume: ServedVolume): void {
  if (!(volume instanceof Volume)) {
    throw new VolumeError("wrong-form", `Cannot lend volume ${id}: it is no plain one`);
  }
  if (volume.state !== "writable") {
    throw new VolumeError("read-only", `Cannot lend volume ${id}: it is ${volume.state}`);
  }
}

function placeOf(options: VolumeOptions, disk: DiskFolder): LentPlace {
  const { id, collection, folder, sizeBytesMax, graceBytes } = options;
  const { index, diskType, freeBytesFloor } = disk;
  return {
    id,
    collection,
    folder,
    disk: index,
    diskType,
    sizeBytesMax,
    graceBytes,
    freeBytesFloor,
  };
}
