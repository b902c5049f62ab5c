import { assert } from "../assert.ts";
import type { HeldShare, StallWatch, Transfer } from "../http/stall-watch.ts";
import type { TcpConnection } from "../net/tcp.ts";

/**
 * What goes out over one connection. Bytes that the system does not take at once stay where they are, by reference, until it does: 40 readers that
 * stall cost no copies of what they read. One writer at a time, who waits while something is left.
 */
export class OutgoingBytes {
  readonly #connection: TcpConnection;
  readonly #stalls: StallWatch;
  readonly #rest: Uint8Array[] = [];
  #drained: PromiseWithResolvers<void> | undefined;
  #transfer: Transfer | undefined;
  #share: HeldShare | undefined;
  #onClosed: (() => void) | undefined;
  #isClosed = false;

  constructor(connection: TcpConnection, stalls: StallWatch) {
    this.#connection = connection;
    this.#stalls = stalls;
  }

  get isWaiting(): boolean {
    return this.#rest.length > 0;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What the answer under way holds while its reader is slow. */
  hold(share: HeldShare | undefined): void {
    this.#share = share;
  }

  /** As `write`, for bytes that are overwritten afterwards: what is not taken of them is copied. */
  writeShared(bytes: Uint8Array): boolean {
    if (this.#isClosed) return true;
    if (this.#rest.length > 0) return this.write(Buffer.from(bytes));
    const taken = this.#connection.write(bytes);
    this.#transfer?.moved(taken);
    if (taken === bytes.length || this.#isClosed) return true;
    this.#rest.push(Buffer.from(bytes.subarray(taken)));
    this.#wait();
    return false;
  }

  /** Calls `run` when the connection is gone before the answer under way is over. */
  onClosed(run: () => void): void {
    this.#onClosed = run;
  }

  /** Returns whether the system took everything. Else `bytes` must stay as they are until `drained` resolves. */
  write(bytes: Uint8Array): boolean {
    if (this.#isClosed) return true;
    if (this.#rest.length > 0) {
      this.#rest.push(bytes);
      return false;
    }
    const taken = this.#connection.write(bytes);
    this.#transfer?.moved(taken);
    if (taken === bytes.length || this.#isClosed) return true;
    this.#rest.push(bytes.subarray(taken));
    this.#wait();
    return false;
  }

  /** Resolves when nothing is left, or the connection is gone. */
  drained(): Promise<void> {
    if (this.#rest.length === 0) return Promise.resolve();
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  /** The answer is over: its reader owes nothing any more. */
  release(): void {
    assert(this.#rest.length === 0, "an answer is over when all of it was taken");
    this.#transfer?.[Symbol.dispose]();
    this.#transfer = undefined;
    this.#share = undefined;
    this.#onClosed = undefined;
  }

  /** Of the connection: the system takes more. */
  flush(): void {
    for (;;) {
      const next = this.#rest[0];
      if (next === undefined) break;
      const taken = this.#connection.write(next);
      this.#transfer?.moved(taken);
      // A connection that ends while it is written to has dropped what was left.
      if (this.#isClosed) return;
      if (taken < next.length) {
        this.#rest[0] = next.subarray(taken);
        return;
      }
      this.#rest.shift();
    }
    this.#transfer?.setWaiting("on-us");
    this.#wake();
  }

  /** Of the connection: it is gone. */
  close(): void {
    this.#isClosed = true;
    this.#rest.length = 0;
    const onClosed = this.#onClosed;
    this.release();
    this.#wake();
    onClosed?.();
  }

  /** A reader that takes nothing is not waited for without end. */
  #wait(): void {
    this.#transfer ??= this.#stalls.watch(() => this.#connection.destroy(), this.#share);
    this.#transfer.setWaiting("on-client");
  }

  #wake(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.resolve();
  }
}
