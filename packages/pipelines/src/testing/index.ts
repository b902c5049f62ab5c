/** For tests only. */
export { type EngineRig, type FinishedRun, createEngineRig } from "./engine-rig.ts";
export { MemoryObjectStore } from "./memory-object-store.ts";
export { ScriptedExecutor, type StepScript } from "./scripted-executor.ts";
