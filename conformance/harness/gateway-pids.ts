import { readFileSync, readdirSync } from "node:fs";

/** The processes that a server with `--workers` has beside itself; empty when it is gone. */
export function gatewayPids(serverPid: number): number[] {
  try {
    return readdirSync(`/proc/${serverPid}/task`)
      .flatMap((task) =>
        readFileSync(`/proc/${serverPid}/task/${task}/children`, "utf8").split(" "),
      )
      .filter((child) => child !== "" && isGateway(child))
      .map(Number);
  } catch {
    return [];
  }
}

function isGateway(pid: string): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes("gateway");
}
