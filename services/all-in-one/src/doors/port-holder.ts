import { readFileSync, readdirSync, readlinkSync } from "node:fs";

/** Who listens on a port of this machine, as far as this user may see it. */
export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

const STATE_LISTEN = "0A";

/** Looks through /proc; `undefined` where there is none, or the holder is another user's. */
export function findPortHolder(port: number): PortHolder | undefined {
  const inodes = new Set(listenersOn(port).map(({ inode }) => inode));
  if (inodes.size === 0) return undefined;
  for (const name of list("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const holds = list(`/proc/${name}/fd`).some((fd) => inodes.has(socketInode(name, fd) ?? ""));
    if (holds) return { pid: Number(name), command: commandOf(name) };
  }
  return undefined;
}

/**
 * Whether somebody besides these processes listens where they do: a port that processes share can be shared by a stranger, who is dealt
 * connections too. False where there is no /proc.
 */
export function isPortShared(port: number, pids: readonly number[]): boolean {
  const own = new Set(
    pids.flatMap((pid) => list(`/proc/${pid}/fd`).map((fd) => socketInode(`${pid}`, fd))),
  );
  const listeners = listenersOn(port);
  const places = new Set(listeners.flatMap(({ place, inode }) => (own.has(inode) ? [place] : [])));
  return listeners.some(({ place, inode }) => places.has(place) && !own.has(inode));
}

interface Listener {
  /** Address and port, as the system writes them. */
  readonly place: string;
  readonly inode: string;
}

function listenersOn(port: number): readonly Listener[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const listeners: Listener[] = [];
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of read(table).split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [, local = "", , state = ""] = fields;
      const inode = fields[9];
      if (state === STATE_LISTEN && local.endsWith(`:${wanted}`) && inode !== undefined) {
        listeners.push({ place: local, inode });
      }
    }
  }
  return listeners;
}

function socketInode(pid: string, fd: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function commandOf(pid: string): string {
  const words = read(`/proc/${pid}/cmdline`).split("\0").filter(Boolean);
  return words.slice(0, 3).join(" ").slice(0, 120) || read(`/proc/${pid}/comm`).trim();
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isGone(error)) return "";
    throw error;
  }
}

/** Processes come and go while we look, and others' are not for us to see. */
function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error;
}
