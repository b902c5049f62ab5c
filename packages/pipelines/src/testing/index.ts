/** For tests only. */
export { type EngineRig, type FinishedRun, createEngineRig } from "./engine-rig.ts";
export { MemoryObjectStore } from "./memory-object-store.ts";
export { ScriptedExecutor, type StepScript } from "./scripted-executor.ts";
export {
  type Answer,
  type ApiWorld,
  fail,
  openApiWorld,
  runUntilAborted,
} from "../server/testing/index.ts";
