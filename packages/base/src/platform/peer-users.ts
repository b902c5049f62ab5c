import { readFile } from "node:fs/promises";
import { type PeerUsers, unknownPeerUsers } from "../net/peer-users.ts";
import { findSocketOwner, socketTableNeedles } from "../net/socket-table.ts";

/**
 * The kernel hands the table over in pieces, so a row can be missed while others come and go. A second look makes
 * that unlikely; what is still missed is answered as not known.
 */
const LOOKS_MAX = 3;

const linuxPeerUsers: PeerUsers = {
  async userOf(connection) {
    const { inTcp, inTcp6 } = socketTableNeedles(connection);
    for (let look = 0; look < LOOKS_MAX; look++) {
      const owner =
        (await ownerIn("/proc/net/tcp", inTcp)) ?? (await ownerIn("/proc/net/tcp6", inTcp6));
      if (owner !== undefined) return owner;
    }
    return undefined;
  },
};

/** From `/proc/net` on Linux; elsewhere nobody is known. Cost: one read of the machine's connection table per call. */
export const systemPeerUsers: PeerUsers =
  process.platform === "linux" ? linuxPeerUsers : unknownPeerUsers;

async function ownerIn(path: string, needle: string | undefined): Promise<number | undefined> {
  if (needle === undefined) return undefined;
  return findSocketOwner(await readTable(path), needle);
}

async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, "latin1");
  } catch (error) {
    // A kernel without IPv6 has no such table, a hardened one may not show it: then there is nothing to find.
    if (error instanceof Error && "code" in error) return "";
    throw error;
  }
}
