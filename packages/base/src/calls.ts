/**
 * Calls between the processes of one program, over one connection that both sides may call through. `platform` makes
 * the real ones. Arguments and results are plain data: numbers, bigint, text, bytes, arrays and objects of these.
 *
 * Implementations must:
 * - keep the order of calls: one made before another is handed to the other side before it;
 * - reject every call that is waiting when the connection ends with `CallError` code `peer-gone`. Whether the other
 *   side did what was asked is then unknown.
 */
export interface CallPeer extends AsyncDisposable {
  /** Resolves with what the other side's handler gave; rejects with `CallError`. */
  call(name: string, argument: unknown): Promise<unknown>;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
}

/** What a side does when it is called, by name. */
export type CallHandlers = Readonly<Record<string, (argument: unknown) => unknown>>;

/** Somewhere that other processes of the program connect to. Ends every connection when disposed. */
export interface CallListener extends AsyncDisposable {
  readonly address: string;
}

export interface CallNetwork {
  /** `accept` is told of each new connection and says what its other side may call. The address is a file's path. */
  listen(address: string, accept: (peer: CallPeer) => CallHandlers): Promise<CallListener>;
  connect(address: string, handlers: CallHandlers): Promise<CallPeer>;
}

/**
 * A call that failed. `code` is that of the error which the handler threw (`failed` when it had none), or `peer-gone`,
 * `overloaded` (too much is waiting), `no-such-call`.
 */
export class CallError extends Error {
  override readonly name = "CallError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
