import { readFileSync, readdirSync } from "node:fs";

/** Linux counts processor time in these, whatever the clock of the kernel. */
const TICKS_PER_SECOND = 100;

/** Processor time that a process and all below it have used so far, in user and system mode together. */
export function processCpuUs(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + ownCpuUs(each), 0);
}

/** The same of one process alone. */
export function ownCpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // After the name in parentheses: state is field 3, so utime (14) and stime (15) are at 11 and 12.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND;
}

/** Resident memory of a process and all below it: now, and the most that each ever was. */
export function processMemory(pid: number): {
  readonly rssBytes: number;
  readonly peakBytes: number;
} {
  const sums = { rssBytes: 0, peakBytes: 0 };
  for (const each of processTree(pid)) {
    const status = readFileSync(`/proc/${each}/status`, "utf8");
    sums.rssBytes += kibOf(status, "VmRSS");
    sums.peakBytes += kibOf(status, "VmHWM");
  }
  return sums;
}

function processTree(pid: number): number[] {
  const tree = [pid];
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8");
    for (const child of children.split(" "))
      if (child !== "") tree.push(...processTree(Number(child)));
  }
  return tree;
}

function kibOf(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
}
