import { type CallPeer, type Clock, CallError } from "@kelp/base";
import { ANSWER_MS_MAX } from "./limits.ts";

/** A peer whose calls end in bounded time: when an answer does not come, `giveUp` is told, and the call fails as if the peer were gone. */
export class BoundedPeer implements CallPeer {
  readonly #peer: CallPeer;
  readonly #clock: Clock;
  readonly #giveUp: (name: string) => void;

  constructor(peer: CallPeer, clock: Clock, giveUp: (name: string) => void) {
    this.#peer = peer;
    this.#clock = clock;
    this.#giveUp = giveUp;
  }

  get closed(): Promise<void> {
    return this.#peer.closed;
  }

  async call(name: string, argument: unknown): Promise<unknown> {
    const late = Promise.withResolvers<never>();
    const timer = this.#clock.schedule(ANSWER_MS_MAX, () => {
      this.#giveUp(name);
      late.reject(new CallError("peer-gone", `Cannot call ${name}: no answer came`));
    });
    try {
      return await Promise.race([this.#peer.call(name, argument), late.promise]);
    } finally {
      timer.cancel();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }
}
