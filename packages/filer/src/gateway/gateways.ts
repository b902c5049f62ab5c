import type { CallPeer } from "@kelp/base";
import type { Fid } from "@kelp/wire";

/**
 * What other processes are doing with chunks. Whoever frees or judges asks; where one of them does not answer the question is
 * rejected, and nothing is freed.
 */
export interface OtherBodies {
  /** Which of these are the first chunk of content that is being read. As many answers as questions. */
  pinned(fids: readonly Fid[]): Promise<readonly boolean[]>;
  /** Which of these a body on its way may be about to name. */
  inFlight(fids: readonly Fid[]): Promise<readonly boolean[]>;
}

export const PINNED_CALL = "filer.pinned";
export const IN_FLIGHT_CALL = "filer.inFlight";

/** There is one process. */
export const NO_OTHER_BODIES: OtherBodies = {
  pinned: async (fids) => fids.map(() => false),
  inFlight: async (fids) => fids.map(() => false),
};

/** Asks every gateway that there is at the moment of the question. */
export function bodiesOfGateways(gateways: () => readonly Pick<CallPeer, "call">[]): OtherBodies {
  const ask = async (name: string, fids: readonly Fid[]): Promise<readonly boolean[]> => {
    if (fids.length === 0) return [];
    const calls = gateways().map((gateway) => gateway.call(name, fids));
    const answers = (await Promise.all(calls)) as boolean[][];
    return fids.map((_fid, index) => answers.some((answer) => answer[index] !== false));
  };
  return {
    pinned: (fids) => ask(PINNED_CALL, fids),
    inFlight: (fids) => ask(IN_FLIGHT_CALL, fids),
  };
}
