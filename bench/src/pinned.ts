import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

/** Holds a process, all its threads and those it starts later, to one processor. Throws where the system has no `taskset`. */
export function pin(pid: number, processor: number): void {
  const { status, stderr } = spawnSync("taskset", ["-a", "-c", "-p", `${processor}`, `${pid}`]);
  if (status !== 0) {
    throw new Error(`Cannot hold process ${pid} to processor ${processor}: ${String(stderr)}`);
  }
}

/** The processes that a process started and that run. */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
      .split(" ")
      .filter(Boolean)
      .map(Number),
  );
}
