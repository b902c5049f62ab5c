import type { VolumeTierSettings } from "@kelp/all-in-one";
import { UsageError } from "./usage-error.ts";

/** Takes apart `NAME=folder:DIR`, several of them separated by commas. Throws `UsageError`. */
export function parseVolumeTiers(text: string | undefined): readonly VolumeTierSettings[] {
  const tiers = text === undefined ? [] : text.split(",").map(parseTier);
  for (const [index, { name }] of tiers.entries()) {
    if (tiers.findIndex((tier) => tier.name === name) < index) {
      throw new UsageError(`--volume.tier names ${name} twice`);
    }
  }
  return tiers;
}

function parseTier(text: string): VolumeTierSettings {
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]{0,62})=folder:(\/.*)$/.exec(text.trim());
  const [, name, folder] = match ?? [];
  if (name !== undefined && folder !== undefined) return { name, folder };
  throw new UsageError(
    `--volume.tier is ${JSON.stringify(text)}, expected NAME=folder:DIR with an absolute DIR`,
  );
}
