import type { CallHandlers } from "@kelp/base";
import type { Fid, MasterClient, VolumeId } from "@kelp/wire";
import { BORROW_ATTEMPTS_MAX } from "../limits.ts";
import type { VolumeStore } from "../store/volume-store.ts";
import { type Borrower, isNotToLend } from "./lending.ts";
import {
  APPEND_CALL,
  BORROW_CALL,
  PLACE_CALL,
  READ_CALL,
  REMOVE_CALL,
  RETURNED_CALL,
} from "./lending-calls.ts";

/** What a store of volumes does for a gateway. The other side is this very program: arguments are taken as they are. */
export function serveVolumes(options: {
  readonly volumes: VolumeStore;
  /** Chooses what is lent: a volume that it would have new needles go to. */
  readonly master: Pick<MasterClient, "assign">;
  readonly borrower: Borrower;
}): CallHandlers {
  const { volumes, borrower } = options;
  return {
    [BORROW_CALL]: (collection) => lendSome(options, collection as string),
    [RETURNED_CALL]: (id) => volumes.returned(id as VolumeId, borrower),
    [PLACE_CALL]: (id) => volumes.placeOf(id as VolumeId),
    [APPEND_CALL]: async (argument) => {
      const [fid, data] = argument as [Fid, Uint8Array];
      await volumes.append(fid, data);
    },
    [READ_CALL]: async (argument) => {
      const [fid, hash64] = argument as [Fid, bigint | undefined];
      return volumes.read(fid, undefined, hash64);
    },
    [REMOVE_CALL]: (fids) => volumes.remove(fids as Fid[]),
  };
}

/**
 * Another gateway, or a job, may be faster: then another volume is chosen. Where none is to be lent at the moment, such as the only one while
 * it is vacuumed, nothing is lent: the gateway has this process append meanwhile.
 */
async function lendSome(
  { volumes, master, borrower }: Parameters<typeof serveVolumes>[0],
  collection: string,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { volumeId } = await master.assign({ collection, sizeBytes: 0 });
    try {
      await volumes.lend(volumeId, borrower);
      return;
    } catch (error) {
      if (!isNotToLend(error)) throw error;
      if (attempt >= BORROW_ATTEMPTS_MAX) return;
    }
  }
}
