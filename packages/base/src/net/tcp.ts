import type { ConnectionAddresses } from "./peer-users.ts";

/** What happens to a connection. None is called from within a call of its `TcpConnection`, but for `closed`. */
export interface TcpEvents {
  /** Bytes came. They are the receiver's own: nobody else writes or reads them. */
  data(bytes: Uint8Array): void;
  /** The socket may take more. May also come when nothing waited. */
  drained(): void;
  /** The other side sends nothing more; it may still read. */
  ended(): void;
  /** The connection is gone, however that came about. Called once, and nothing after it. */
  closed(): void;
}

/**
 * One accepted connection. Nothing that goes wrong with it is thrown: it closes.
 *
 * Implementations must keep the order of bytes, and keep no written bytes once `write` has returned. They must send small writes at
 * once (no Nagle).
 */
export interface TcpConnection extends ConnectionAddresses {
  /** Whether nobody on the way can read it. */
  readonly isEncrypted: boolean;
  /**
   * Hands bytes to the system and returns how many it took, 0 when the connection is gone. The rest is the caller's still: to be
   * written again after `drained`.
   */
  write(bytes: Uint8Array): number;
  /** No more `data` and no `ended` until `resume`; the other side is held back by the system. A reset may be noticed only then. */
  pause(): void;
  resume(): void;
  /** Sends nothing more; the other side may. What was written still arrives. */
  finish(): void;
  /** Ends both directions now: the other side reads to its end what the system took. */
  destroy(): void;
  /** Ends both directions by a reset: the other side shall not take what it read for everything. */
  reset(): void;
}

/**
 * Whether a port is this process's alone. `shared`: processes that all say so are dealt connections by the system, among them any
 * other of the same user; whoever shares looks first, by listening alone for a moment.
 */
export type PortSharing = "alone" | "shared";

export interface TcpListener extends AsyncDisposable {
  /** The port that is really listened on. */
  readonly port: number;
  /** Takes no more connections; those that are open stay. Twice is harmless. */
  close(): void;
}

export interface TcpNetwork {
  /**
   * Resolves when connections are taken. `port` 0: any free one. Rejects with the system's error (`code` is the errno name), `EADDRINUSE`
   * also when the port is held by somebody who would share it and this listener would not.
   */
  listen(
    place: { readonly address: string; readonly port: number; readonly sharing: PortSharing },
    accept: (connection: TcpConnection) => TcpEvents,
  ): Promise<TcpListener>;
}
