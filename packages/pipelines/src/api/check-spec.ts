import { parsePipelineSpec } from "../index.ts";

/** `source` itself when the engine could run it. Throws `PipelinesError` "invalid-spec" naming what is wrong. */
export function checkSpec(source: unknown): unknown {
  parsePipelineSpec(source);
  return source;
}
