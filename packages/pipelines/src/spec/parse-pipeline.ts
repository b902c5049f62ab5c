import { checkReferences } from "./check-references.ts";
import { Fields, invalid, isJsonObject } from "./json.ts";
import type { PipelineSpec } from "./model.ts";
import { parseComponent } from "./parse-component.ts";
import { parseExecutor, parsePlatform } from "./parse-executors.ts";

/** A checked specification together with the documents that it was read from. */
export interface ParsedPipeline {
  readonly spec: PipelineSpec;
  /** The specification as sent, without the platform document. */
  readonly specSource: unknown;
  /** The platform document as sent. */
  readonly platformSource: unknown;
}

const PIPELINE_FIELDS = [
  "pipelineInfo",
  "sdkVersion",
  "schemaVersion",
  "deploymentSpec",
  "components",
  "root",
  "defaultPipelineRoot",
];

const SCHEMA_VERSION = "2.1.0";
const NAME_PATTERN = /^[a-z0-9][a-z0-9-]{0,127}$/;

/**
 * Reads a compiled pipeline: the specification itself, or `{ pipeline_spec, platform_spec }` as clients send both
 * documents in one. Checks types, names, references and cycles.
 *
 * @throws PipelinesError `invalid-spec` with a sentence that names the field.
 */
export function parsePipelineSpec(value: unknown): ParsedPipeline {
  const { specSource, platformSource } = splitDocuments(value);
  const fields = new Fields(specSource, "");
  fields.allowOnly(PIPELINE_FIELDS);
  const version = fields.requiredString("schemaVersion");
  if (version !== SCHEMA_VERSION) {
    throw invalid("schemaVersion", `is "${version}", expected "${SCHEMA_VERSION}"`);
  }
  const info = fields.requiredObject("pipelineInfo");
  const name = info.requiredString("name");
  if (!NAME_PATTERN.test(name)) {
    throw invalid(
      info.at("name"),
      `is "${name.slice(0, 200)}", expected lower-case letters, digits and hyphens, at most 128, not starting with a hyphen`,
    );
  }
  const deployment = fields.object("deploymentSpec");
  const spec: PipelineSpec = {
    name,
    displayName: info.string("displayName"),
    description: info.string("description"),
    defaultPipelineRoot: fields.string("defaultPipelineRoot"),
    root: parseComponent(fields.requiredObject("root"), "root"),
    components: fields.map("components", parseComponent),
    executors: deployment?.map("executors", parseExecutor) ?? new Map(),
    platform: parsePlatform(platformSource),
  };
  checkReferences(spec);
  return { spec, specSource, platformSource };
}

function splitDocuments(value: unknown): { specSource: unknown; platformSource: unknown } {
  if (!isJsonObject(value)) {
    throw invalid("the document", "is not a pipeline specification, expected an object");
  }
  if (!("pipeline_spec" in value) && !("pipelineSpec" in value)) {
    return { specSource: value, platformSource: undefined };
  }
  const both = new Fields(value, "");
  both.allowOnly(["pipelineSpec", "platformSpec"]);
  return { specSource: both.raw("pipelineSpec"), platformSource: both.raw("platformSpec") };
}
