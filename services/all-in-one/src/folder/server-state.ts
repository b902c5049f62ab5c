import { readFileSync, rmSync } from "node:fs";
import { type Disk, utf8 } from "@kelp/base";
import { z } from "zod";

const stateSchema = z.object({
  pid: z.number().int().positive(),
  /** Start of the process in ticks since boot: tells it from a later process with the same number. */
  start_ticks: z.string(),
  version: z.string(),
  started_ms: z.number(),
  s3_url: z.string(),
  console_url: z.string(),
  master_url: z.string(),
  volume_url: z.string(),
  filer_url: z.string(),
  region: z.string(),
});

/** What a running server tells other commands on this machine: `server.json` in its data folder. */
export type ServerState = z.infer<typeof stateSchema>;

export async function writeServerState(
  path: string,
  state: ServerState,
  disk: Disk,
): Promise<void> {
  await disk.writeWhole(path, utf8(`${JSON.stringify(state, undefined, 2)}\n`));
}

export function removeServerState(path: string): void {
  rmSync(path, { force: true });
}

/** The state of the server that runs now; `undefined` when none does, also when one died without removing its file. */
export function readServerState(path: string): ServerState | undefined {
  const parsed = stateSchema.safeParse(readJson(path));
  if (!parsed.success) return undefined;
  return processStartTicks(parsed.data.pid) === parsed.data.start_ticks ? parsed.data : undefined;
}

/** When the process began, in the system's ticks; `undefined` when there is none. Where there is no /proc, only whether it lives. */
export function processStartTicks(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat !== undefined) {
    // The name in parentheses may hold anything, so count from its end: the state is field 3, the start field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; only its parent has not looked yet.
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  }
  if (readText("/proc/self/stat") !== undefined) return undefined;
  try {
    process.kill(pid, 0);
    return "alive";
  } catch {
    return undefined;
  }
}

function readJson(path: string): unknown {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}
