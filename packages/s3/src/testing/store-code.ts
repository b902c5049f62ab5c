import { ObjectStoreError } from "@kelp/wire";

/** The code of the `ObjectStoreError` that `run` rejects with, or "accepted". Any other error passes. */
export async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof ObjectStoreError) return error.code;
    throw error;
  }
  return "accepted";
}
