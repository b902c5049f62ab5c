import { fullGC } from "bun:jsc";
import { forgetHashedMemory } from "./hash.ts";
import { forgetPageMemory } from "./page-memory.ts";

/**
 * Gives memory back that this process let go of: to be called when much is not needed any more. By itself the collector looks at what is
 * old when about twice as much was allocated, which may be never, and lets that much garbage gather meanwhile. Takes the
 * caller some 20 ms.
 */
export function reclaimMemory(): void {
  forgetHashedMemory();
  forgetPageMemory();
  fullGC();
}
