import { type Hashes, hex } from "@kelp/base";
import type { TaskValues } from "../run/run.ts";
import { type JsonObject, type JsonValue, canonicalJson } from "../spec/json.ts";
import type { Component, ContainerSpec } from "../spec/model.ts";

export interface FingerprintParts {
  readonly component: Component;
  readonly container: ContainerSpec;
  readonly inputs: TaskValues;
  /** Settings of the platform for this executor, as written. */
  readonly platform: JsonObject | undefined;
  /** The author's own key, which replaces everything else. */
  readonly cacheKey: string | undefined;
}

/**
 * The hash of everything that decides a step's outputs: image, command with its placeholders, environment, inputs
 * (artifacts by URI, since what stands at one never changes) and declared outputs. Steps of equal fingerprint may share
 * outputs. The environment counts, since a step that reads another value of a variable does another thing.
 */
export function fingerprint(parts: FingerprintParts, hashes: Hashes): string {
  const { component, container, inputs } = parts;
  const text =
    parts.cacheKey === undefined || parts.cacheKey === ""
      ? canonicalJson({
          version: FINGERPRINT_VERSION,
          image: container.image,
          command: container.command,
          arguments: container.arguments,
          environment: container.environment.map(({ name, value }) => [name, value]),
          platform: parts.platform ?? {},
          parameters: inputs.parameters,
          artifacts: artifactKeys(inputs),
          outputs: {
            parameters: Object.fromEntries(
              [...component.outputs.parameters].map(([name, { type }]) => [name, type]),
            ),
            artifacts: Object.fromEntries(
              [...component.outputs.artifacts].map(([name, { type }]) => [name, type]),
            ),
          },
        })
      : `${component.name}\0${parts.cacheKey}`;
  return hex(hashes.digest("sha256", text));
}

/** Changes when the meaning of the parts does, so that old entries stop matching. */
const FINGERPRINT_VERSION = 1;

function artifactKeys(inputs: TaskValues): JsonValue {
  return Object.fromEntries(
    Object.entries(inputs.artifacts).map(([name, artifacts]) => [
      name,
      artifacts.map(({ uri, type, metadata }) => [uri, type, metadata]),
    ]),
  );
}
