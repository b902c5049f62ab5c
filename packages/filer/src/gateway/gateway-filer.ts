import type { CallHandlers, CallPeer, Random, SqlDatabase } from "@kelp/base";
import type { Fid, Filer } from "@kelp/wire";
import { type BodyOptions, openBodies } from "../chunk/bodies.ts";
import { sealStore } from "../seal/sealed-store.ts";
import { Sealing } from "../seal/sealing.ts";
import { openGatewayStore } from "./gateway-store.ts";
import { IN_FLIGHT_CALL, PINNED_CALL } from "./gateways.ts";

export interface GatewayFilerOptions extends BodyOptions {
  /** The writer's database, open for reading. Borrowed. */
  readonly database: SqlDatabase;
  /** As the writer's filer has it: only there may needles be that no entry names yet. */
  readonly collection: string;
  readonly random: Random;
  /** The process that writes. */
  readonly writer: CallPeer;
}

/** The filer of a gateway. */
export interface GatewayFiler extends Filer {
  /** What the writer asks before it frees anything. */
  readonly handlers: CallHandlers;
  /** As that of the writer's filer. */
  releaseMemory(): number;
}

/**
 * Opens a filer that reads metadata by itself and stores bodies by itself, and has changes of metadata made by the process that
 * writes. The schema must be there.
 */
export function openGatewayFiler(options: GatewayFilerOptions): GatewayFiler {
  const sealing = options.keyRing === undefined ? undefined : new Sealing(options.keyRing);
  const plainStore = openGatewayStore(options);
  const store = sealing === undefined ? plainStore : sealStore(plainStore, sealing);
  const bodies = openBodies(store, sealing, options);
  return {
    ...store,
    ...bodies.files,
    releaseMemory: () => bodies.releaseMemory(),
    handlers: {
      [PINNED_CALL]: (fids) => (fids as Fid[]).map((fid) => bodies.pins.holdsFirst(fid)),
      [IN_FLIGHT_CALL]: (fids) => (fids as Fid[]).map((fid) => bodies.isInFlight(fid)),
    },
  };
}
