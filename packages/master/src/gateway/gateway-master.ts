import type { CallPeer, Random } from "@kelp/base";
import {
  type AssignRequest,
  type Fid,
  type MasterClient,
  type VolumeId,
  needleId,
} from "@kelp/wire";
import { LEASED_IDS } from "../limits.ts";
import { ASSIGN_CALL, LEASE_CALL } from "./master-calls.ts";

export interface GatewayMasterOptions {
  /** The volumes that this process alone appends to. */
  readonly volumes: {
    pick(collection: string): VolumeId | undefined;
    /** Makes `pick` give one, where there is one to be had at the moment. */
    borrow(collection: string): Promise<void>;
  };
  /** The process that has the master. */
  readonly owner: CallPeer;
  readonly random: Pick<Random, "uint32">;
}

/** Ids that nobody else assigns: from `next` to before `end`. */
interface Lease {
  next: bigint;
  readonly end: bigint;
}

/**
 * Assigns needles in a gateway: to volumes that it borrowed, with ids of a range that the master leased it. Ids that are not
 * used before the process ends are never used.
 */
export class GatewayMaster implements Pick<MasterClient, "assign"> {
  readonly #options: GatewayMasterOptions;
  #lease: Lease = { next: 0n, end: 0n };
  #leasing: Promise<void> | undefined;

  constructor(options: GatewayMasterOptions) {
    this.#options = options;
  }

  /** Throws what the master and the owner of the volumes throw. */
  async assign(request: AssignRequest): Promise<Fid> {
    const { volumes, owner, random } = this.#options;
    const { collection, replicaPlacement = 0, ttl, diskType = "", count = 1 } = request;
    const isOwn = replicaPlacement === 0 && ttl === undefined && diskType === "" && count === 1;
    if (!isOwn) return (await owner.call(ASSIGN_CALL, request)) as Fid;
    if (volumes.pick(collection) === undefined) await volumes.borrow(collection);
    while (this.#lease.next >= this.#lease.end) await this.#renew();
    const volumeId = volumes.pick(collection);
    // None is lent at the moment, or it was full, or asked for, in the moment it came.
    if (volumeId === undefined) return (await owner.call(ASSIGN_CALL, request)) as Fid;
    const id = needleId(this.#lease.next++);
    return { volumeId, needleId: id, cookie: random.uint32() };
  }

  #renew(): Promise<void> {
    this.#leasing ??= this.#leaseOnce().finally(() => {
      this.#leasing = undefined;
    });
    return this.#leasing;
  }

  async #leaseOnce(): Promise<void> {
    const first = (await this.#options.owner.call(LEASE_CALL, LEASED_IDS)) as bigint;
    this.#lease = { next: first, end: first + BigInt(LEASED_IDS) };
  }
}
