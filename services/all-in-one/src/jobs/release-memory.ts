import { reclaimMemory } from "@kelp/base/platform";

/** Buffers of large bodies that nobody needed for so long are given back. Large bodies that follow on each other find them warm. */
export const RELEASE_MEMORY_PAUSE_MS = 500;

/** One round: gives back what the filer does not need at the moment. */
export async function releaseMemory(filer: { releaseMemory(): number }): Promise<void> {
  if (filer.releaseMemory() > 0) reclaimMemory();
}
