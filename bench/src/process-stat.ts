import { readFileSync } from "node:fs";

/** Linux counts processor time in these, whatever the clock of the kernel. */
const TICKS_PER_SECOND = 100;

/** Processor time that a process has used so far, in user and system mode together. */
export function processCpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // After the name in parentheses: state is field 3, so utime (14) and stime (15) are at 11 and 12.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND;
}

/** Resident memory now, and the most it ever was. */
export function processMemory(pid: number): {
  readonly rssBytes: number;
  readonly peakBytes: number;
} {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return { rssBytes: kibOf(status, "VmRSS"), peakBytes: kibOf(status, "VmHWM") };
}

function kibOf(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
}
