import { DiskError } from "../disk.ts";

/** Does `run` to `path`; whatever the system refuses is thrown as a `DiskError` that says so. */
export async function attempt<Value>(
  action: string,
  path: string,
  run: () => Promise<Value>,
): Promise<Value> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DiskError) throw error;
    throw new DiskError(action, path, errnoOf(error), error);
  }
}

/** The system's code of what was thrown: `ENOENT`, `EIO`, …; `UNKNOWN` where it has none. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.code;
  return "UNKNOWN";
}
