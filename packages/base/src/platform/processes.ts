import { readFileSync } from "node:fs";
import { type Processes, type ProcessExit, ProcessError } from "../processes.ts";

/** The machine's processes. */
export const systemProcesses: Processes = {
  start(request) {
    const [program] = request.argv;
    if (program === undefined) throw new ProcessError("", "EINVAL", undefined);
    let child;
    try {
      child = Bun.spawn({
        cmd: [...request.argv],
        env: { ...request.environment },
        cwd: request.folder,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        detached: true,
      });
    } catch (error) {
      const code =
        error instanceof Error && "code" in error && typeof error.code === "string"
          ? error.code
          : "UNKNOWN";
      throw new ProcessError(program, code, error);
    }
    const started = child;
    const exited = started.exited.then((code): ProcessExit =>
      started.signalCode === null
        ? { kind: "code", code }
        : { kind: "signal", signal: String(started.signalCode) },
    );
    return { pid: started.pid, stdout: started.stdout, stderr: started.stderr, exited };
  },
  identify(pid) {
    try {
      // Linux: field 22 of stat is the start time in ticks since boot. The name in field 2 may hold anything,
      // so counting starts after its closing parenthesis.
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" ? undefined : `${pid}:${rest[18] ?? ""}`;
    } catch {
      return identifyByPs(pid);
    }
  },
  self: () => systemProcesses.identify(process.pid) ?? String(process.pid),
  killGroup(pid, signal) {
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  },
  find: (program, path) => Bun.which(program, { PATH: path }) ?? undefined,
};

function identifyByPs(pid: number): string | undefined {
  if (process.platform === "linux") return undefined;
  const result = Bun.spawnSync(["ps", "-o", "lstart=", "-p", String(pid)]);
  const text = result.stdout.toString().trim();
  return text === "" ? undefined : `${pid}:${text}`;
}
