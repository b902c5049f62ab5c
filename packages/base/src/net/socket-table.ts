import type { ConnectionAddresses } from "./peer-users.ts";

/**
 * Lines of Linux's `/proc/net/tcp` and `/proc/net/tcp6`:
 *
 *     sl: local_address:port remote_address:port state tx_queue:rx_queue timer:when retransmits uid timeout inode …
 *
 * Addresses are hexadecimal words of 32 bits in the byte order of the machine (little-endian wherever this runs),
 * ports are plain. Source: proc_pid_net(5).
 */
export interface SocketTableNeedles {
  /** Text in `/proc/net/tcp`; `undefined` when the connection cannot stand there. */
  readonly inTcp: string | undefined;
  /** Text in `/proc/net/tcp6`. */
  readonly inTcp6: string | undefined;
}

const ESTABLISHED = "01";
const MAPPED_PREFIX = "0000000000000000FFFF0000";

/** How the client's own row of this connection reads: its local end is our remote one. */
export function socketTableNeedles(connection: ConnectionAddresses): SocketTableNeedles {
  const client = wordsOf(connection.remoteAddress);
  const server = wordsOf(connection.localAddress);
  if (client === undefined || server === undefined || client.family !== server.family) {
    return { inTcp: undefined, inTcp6: undefined };
  }
  const clientPort = portOf(connection.remotePort);
  const serverPort = portOf(connection.localPort);
  const row = (prefix: string): string =>
    ` ${prefix}${client.words}:${clientPort} ${prefix}${server.words}:${serverPort} ${ESTABLISHED} `;
  // An IPv4 connection stands in either table: the client may have made it with an IPv6 socket.
  return client.family === 4
    ? { inTcp: row(""), inTcp6: row(MAPPED_PREFIX) }
    : { inTcp: undefined, inTcp6: row("") };
}

/** The user id in the one row of `table` that holds `needle`; `undefined` when there is none, or it cannot be read. */
export function findSocketOwner(table: string, needle: string): number | undefined {
  const start = table.indexOf(needle);
  if (start < 0) return undefined;
  const end = table.indexOf("\n", start);
  const rest = table.slice(start + needle.length, end < 0 ? table.length : end);
  // What follows the state: queues, timer, retransmits, uid, timeout, inode.
  const [, , , uid, , inode] = rest.trim().split(/\s+/);
  // A socket that its owner let go of has no inode, and kernels say 0 for its user, who would be root.
  if (inode === undefined || /^0*$/.test(inode)) return undefined;
  return uid !== undefined && /^\d{1,10}$/.test(uid) ? Number(uid) : undefined;
}

interface Words {
  readonly family: 4 | 6;
  readonly words: string;
}

function wordsOf(address: string): Words | undefined {
  const plain = address.toLowerCase().startsWith("::ffff:") ? address.slice(7) : address;
  // Of IPv6 only the loopback address is ever asked about.
  if (plain === "::1") return { family: 6, words: "00000000000000000000000001000000" };
  const parts = plain.split(".");
  if (parts.length !== 4) return undefined;
  let words = "";
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    words = hexByte(Number(part)) + words;
  }
  return { family: 4, words };
}

function portOf(port: number): string {
  return hexByte(port >>> 8) + hexByte(port & 0xff);
}

function hexByte(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, "0");
}
