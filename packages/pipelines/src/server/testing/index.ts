/** For tests only: the whole of pipelines without processes and without a store on disk. */
export { type Answer, type ApiWorld, openApiWorld } from "./api-world.ts";
export {
  type StepScript,
  fail,
  runUntilAborted,
  scriptedExecutor,
  succeed,
} from "./scripted-executor.ts";
export { artifactSpec, parameterSpec, specOf } from "./specs.ts";
