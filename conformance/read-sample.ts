import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseYamlDocuments } from "@kelp/base/platform";

export const SAMPLES_FOLDER = join(import.meta.dir, "kfp-samples");

/** Both documents of a sample in the form in which clients send them. */
export function readSample(name: string): unknown {
  const text = readFileSync(join(SAMPLES_FOLDER, name), "utf8");
  const [pipelineSpec, platformSpec] = parseYamlDocuments(text);
  return platformSpec === undefined
    ? pipelineSpec
    : { pipeline_spec: pipelineSpec, platform_spec: platformSpec };
}
