/** Both ends of an accepted TCP connection, as this process sees them. Addresses are IP literals. */
export interface ConnectionAddresses {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/**
 * Tells which operating-system user holds the other end of a connection on this machine.
 *
 * Implementations must answer from what the kernel says about the connection at the time of the call, and answer
 * `undefined` whenever that is not certain: another machine, a connection that is closing, an operating system that
 * does not tell. Callers must not keep the answer longer than the connection: its ports are reused.
 */
export interface PeerUsers {
  /** The effective user id of the socket's owner. */
  userOf(connection: ConnectionAddresses): Promise<number | undefined>;
}

/** Where it cannot be told: nobody is ever known. */
export const unknownPeerUsers: PeerUsers = { userOf: () => Promise.resolve(undefined) };

/** True for `127.0.0.0/8` and `::1`, also in the form that IPv6 sockets show (`::ffff:127.0.0.1`). */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.toLowerCase().startsWith("::ffff:") ? address.slice(7) : address;
  return plain === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain);
}
