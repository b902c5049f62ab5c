import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import type { Credentials } from "./server-process.ts";

/** A server that load is put on: Kelp's own process, or a peer that somebody started. */
export interface Target {
  /** Its processor time and memory are read from `/proc`, those of its children included. */
  readonly pid: number;
  readonly s3Port: number;
  readonly credentials: Pick<Credentials, "accessKey" | "secretKey">;
}

export interface Peer extends Target {
  readonly name: string;
}

/** `NAME=URL,KEY,SECRET` of a server on this machine. Throws when nobody listens there. */
export function parsePeer(text: string): Peer {
  const [, name, url, accessKey, secretKey] = /^([^=]+)=([^,]+),([^,]+),(.+)$/.exec(text) ?? [];
  if (name === undefined || url === undefined || accessKey === undefined) {
    throw new Error(`A peer is NAME=URL,KEY,SECRET, not ${text.replace(/,[^,]*$/, ",…")}`);
  }
  const s3Port = Number(new URL(url).port);
  return {
    name,
    s3Port,
    pid: listenerPid(s3Port),
    credentials: { accessKey, secretKey: secretKey ?? "" },
  };
}

const LISTENING = "0A";

/** The process that holds the listening socket of a port. */
function listenerPid(port: number): number {
  const inode = listenerInode(port);
  if (inode === undefined) throw new Error(`Nobody listens on port ${port} of this machine`);
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (descriptors(pid).includes(`socket:[${inode}]`)) return Number(pid);
  }
  throw new Error(`The process that listens on port ${port} belongs to somebody else`);
}

function listenerInode(port: number): string | undefined {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readFileSync(table, "utf8").split("\n").slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (local?.endsWith(`:${wanted}`) === true && state === LISTENING) return inode;
    }
  }
  return undefined;
}

function descriptors(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  } catch {
    // Gone meanwhile, or not ours to look at.
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
