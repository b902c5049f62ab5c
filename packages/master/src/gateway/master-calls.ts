import type { CallHandlers } from "@kelp/base";
import type { AssignRequest } from "@kelp/wire";
import type { Master } from "../master.ts";

export const ASSIGN_CALL = "master.assign";
export const LEASE_CALL = "master.leaseIds";

/** What a master does for gateways. */
export function serveMaster(master: Master): CallHandlers {
  return {
    [ASSIGN_CALL]: (request) => master.assign(request as AssignRequest),
    [LEASE_CALL]: (count) => master.leaseIds(count as number),
  };
}
