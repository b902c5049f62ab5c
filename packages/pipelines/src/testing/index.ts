/** For tests only. */
export { type EngineRig, type FinishedRun, createEngineRig } from "./engine-rig.ts";
export { MemoryObjectStore } from "./memory-object-store.ts";
